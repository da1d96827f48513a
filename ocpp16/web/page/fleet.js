// The page of a load test: figures, pictures over time, the verdict so far, and the charge points as squares.

import { Chart, time } from "./chart.js";
import { duration, el, find, say, set, setClass, setHidden } from "./dom.js";
import { Stream } from "./link.js";
import { Squares } from "./squares.js";
import { listen, tell, tellState } from "./trouble.js";

const COLUMNS = ["at", "span", "connected", "registered", "answered", "in_flight", "p50", "p99", "is_late"]; // as the program has them
const state = { test: null, now: null, errors: null, actions: null, ending: null, chunks: [], latencies: [], letters: [] };

const whole = (number) => Math.round(number).toLocaleString("en");

/** Three digits, with the unit that suits. */
function latency(seconds) {
  if (seconds === null) return "–";
  if (seconds > 0 && seconds < 0.0000995) return `${Number((seconds * 1e6).toPrecision(3))} µs`;
  if (seconds < 0.9995) return `${Number((seconds * 1000).toPrecision(3))} ms`;
  return `${Number(seconds.toPrecision(3))} s`;
}

const badges = Object.fromEntries(["state", "clock"].map((name) => [name, el("li", { class: "badge" }, "…")]));
find("badges").append(...Object.values(badges));

const NUMBERS = [
  ["connected", "Connected", ({ test, now }) => `${whole(now.connected)} of ${whole(test.charge_points)}`],
  ["accepted", "Accepted", ({ now }) => whole(now.registered)],
  ["charging", "In a transaction", ({ now }) => whole(Math.max(0, now.started - now.stopped))],
  ["rate", "Calls in a second", ({ now }) => whole(now.rate)],
  ["in-flight", "In flight", ({ now }) => whole(now.in_flight)],
  ["faults", "Without a result", ({ actions }) => whole(actions.reduce((sum, one) => sum + one.errors + one.timeouts + one.lost, 0))],
  ["attempts", "Failed attempts to connect", ({ errors }) => whole(errors.attempts)],
  ["delay", "Tool itself is late by", ({ now }) => latency(now.loop_delay)],
  ["cpu", "Tool takes of a core", ({ now }) => (now.cpu === null ? "–" : `${Math.round(now.cpu * 100)} %`)],
];
const numbers = NUMBERS.map(([id, title, text]) => {
  const shown = el("dd", { id: `number-${id}` }, "–");
  find("numbers").append(el("div", {}, el("dt", {}, title), shown));
  return [shown, text];
});

const latencies = new Chart(find("latency"), { title: "Latency of all calls", lines: [["p50", "p50"], ["p99", "p99"]], say: latency, isLog: true });
const charts = [
  new Chart(find("rate"), { title: "Calls answered in a second", lines: [["answered", "answered"]], say: whole }),
  new Chart(find("connected"), { title: "Charge points", lines: [["connected", "connected"], ["accepted", "registered"], ["calls in flight", "in_flight"]], say: whole }),
];
const squares = new Squares({
  open: (id) => location.assign(`index.html?charge_point=${encodeURIComponent(id)}${location.hash}`),
});

function showTest(test) {
  set(find("scenario"), `Load test: ${test.scenario}`);
  const speed = test.speed === 1 ? "" : `, × ${test.speed}`;
  const processes = test.processes > 1 ? `, ${test.processes} processes` : "";
  set(find("csms"), `${whole(test.charge_points)} charge points, ${test.csms}${processes}${speed}`);
  document.title = `${test.scenario}: load test · ocpp16`;
  set(badges.state, test.state === "incomplete" ? `incomplete: ${test.why}` : test.state);
  setClass(badges.state, `badge ${{ running: "", passed: "good" }[test.state] ?? "bad"}`);
  const of = test.planned && test.seconds <= test.planned ? ` of about ${time(test.planned)}` : "";
  set(badges.clock, `${time(test.seconds)}${of}`);
  set(find("stage"), [test.stage, test.waits_for && `waits for ${test.waits_for}`].filter(Boolean).join(", "));
}

/** Rows that are kept as they are, so that who reads one is not disturbed. */
function fill(list, items) {
  while (list.children.length > items.length) list.lastElementChild.remove();
  items.forEach(([text, kind], index) => {
    const item = list.children[index] ?? list.appendChild(el("li"));
    set(item, text);
    setClass(item, kind);
  });
}

function showActions(actions) {
  const body = find("action-rows");
  while (body.children.length > actions.length) body.lastElementChild.remove();
  actions.forEach((one, index) => {
    const row = body.children[index] ?? body.appendChild(el("tr", {}, el("th", { scope: "row" }), ...Array.from({ length: 8 }, () => el("td"))));
    const cells = [one.name, whole(one.count), whole(one.errors), whole(one.timeouts), whole(one.lost), ...[one.p50, one.p95, one.p99, one.max].map(latency)];
    cells.forEach((text, column) => set(row.children[column], text));
    [one.errors, one.timeouts, one.lost].forEach((count, column) => setClass(row.children[column + 2], count ? "bad" : ""));
  });
}

/** The latencies of all calls, or of the action that is chosen. */
function showLatencies() {
  const select = find("of");
  const before = new Set([...select.options].map((option) => option.value));
  const names = state.latencies.flatMap((chunk) => Object.keys(chunk)).filter((name) => !before.has(name));
  select.append(...[...new Set(names)].map((name) => el("option", { value: name }, name || "all others")));
  const all = state.chunks.flat();
  latencies.title = `Latency of ${select.selectedOptions[0].text}`;
  if (select.value === "*") return latencies.show(all);
  const its = state.chunks.flatMap((chunk, number) => chunk.map((_, index) => state.latencies[number]?.[select.value]?.[index] ?? [null, null]));
  return latencies.show(all.map((entry, index) => ({ ...entry, p50: its[index][0], p99: its[index][1] })));
}
find("of").addEventListener("change", showLatencies);

function showVerdict(verdict) {
  const met = (isMet) => (isMet ? "Met" : "NOT met");
  const items = [
    ...verdict.thresholds.map((one) => [`${met(one.is_met)}: ${one.text} (${one.why})`, one.is_met ? "good" : "bad"]),
    ...verdict.expectations.map((one) => [[`${one.is_judged ? met(one.is_met) : "not come to"}: ${one.name} (${one.met} of ${one.checked})`, ...one.failures].join("; "), one.is_met ? "good" : "bad"]),
  ];
  fill(find("thresholds"), items.length ? items : [["None is set: what counts is that something is answered.", "faint"]]);
  setHidden(find("notes-of-test"), !verdict.notes.length);
  fill(find("notes"), verdict.notes.map((note) => [note, ""]));
}

function showErrors(errors) {
  const items = errors.kinds.map((one) => [`${whole(one.count)} × ${one.kind} ${one.action}`.trim(), "bad"]);
  if (errors.left_out) items.push([`${whole(errors.left_out)} of other kinds`, "bad"]);
  if (errors.attempts) items.push([`${whole(errors.attempts)} attempts to connect failed, the last: ${errors.last}`, "bad"]);
  fill(find("errors"), items.length ? items : [["None.", "faint"]]);
}

function showParts(parts) {
  for (const name of ["test", "now", "actions", "errors"]) if (parts[name]) state[name] = parts[name];
  if (parts.test) showTest(parts.test);
  if (parts.actions) showActions(parts.actions);
  if (parts.errors) showErrors(parts.errors);
  if (parts.verdict) showVerdict(parts.verdict);
  if (parts.now) {
    setHidden(find("late"), !parts.now.late);
    set(find("late"), parts.now.late);
  }
  if (state.test && state.now && state.actions && state.errors) for (const [shown, text] of numbers) set(shown, text(state));
  let isDrawn = false;
  for (const [name, part] of Object.entries(parts)) {
    const [kind, number] = name.split("/");
    if (kind === "seconds") {
      state.chunks[number] = part.map((entry) => Object.fromEntries(COLUMNS.map((column, index) => [column, entry[index]])));
      isDrawn = true;
    } else if (kind === "latencies") {
      state.latencies[number] = part;
      isDrawn = true;
    } else if (kind === "states") {
      state.letters[number] = part;
    }
  }
  if (isDrawn) {
    showLatencies();
    for (const chart of charts) chart.show(state.chunks.flat());
  }
  if (state.letters.length) squares.show(state.letters.join(""));
  if (parts.ending !== undefined) {
    state.ending = parts.ending;
    tell("ending", `The program ends: ${parts.ending}.`, "These are its last figures.");
  }
}

const stream = new Stream({
  hello(hello, { isFirst, isNew, lost }) {
    if (isNew && !isFirst) {
      Object.assign(state, { test: null, now: null, errors: null, actions: null, ending: null, chunks: [], latencies: [], letters: [] });
      say("The program was started again");
    } else if (lost !== null && !isFirst) {
      say(`Connected again, after ${duration(lost)}`);
    }
    setHidden(find("elsewhere"), hello.ids !== null);
    setHidden(find("choose"), hello.ids === null);
    squares.offer(hello.ids ?? [], hello.left_out);
  },
  parts: showParts,
  state: (name, details) => tellState(stream, name, details, state.ending),
});

listen(stream);
stream.run();
