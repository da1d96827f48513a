// What waits and what is kept: the queue, dead letters, reservations, charging profiles; and the counters.

import { el, find, moment, refill, words } from "./dom.js";

const TROUBLE = new Set(["invalid_frames", "call_errors", "timeouts", "dead_letters", "dropped", "store_failures", "internal_errors", "connection_failures", "set_aside", "dead_letters_dropped", "observer_events_dropped", "messages_not_logged", "readings_refused"]);

export class Lists {
  /** `press(command, arguments)` carries out a command; `now()` is the charge point's time, ms. */
  constructor({ press, now }) {
    Object.assign(this, { press, now });
    this.drawn = new Map();
    this.counters = {};
    for (const name of ["queue", "dead_letters", "reservations", "profiles"]) {
      const node = el("section");
      find("lists").append(node);
      this.drawn.set(name, node);
    }
    find("all-counters").addEventListener("change", () => this.count(this.counters));
  }

  show(name, value) {
    const node = this.drawn.get(name);
    if (node) refill(node, ...this[name](value));
  }

  queue(queue) {
    const messages = queue?.messages ?? [];
    return list("Queue", queue?.count ?? 0, "Nothing waits to be sent.", ["No.", "Message", "State", "Attempts", "Content"], messages.map((one) => [one.sequence, one.action, one.state, one.attempts, content(one)]));
  }

  dead_letters(letters) {
    const messages = letters?.messages ?? [];
    const rows = messages.map((one) => [
      one.sequence,
      one.action,
      one.reason,
      actions([
        ["Resend", () => this.press("resend_dead_letters", { sequences: [one.sequence] })],
        ["Discard", () => this.press("discard_dead_letters", { sequences: [one.sequence] })],
      ], `message ${one.sequence}`),
      content(one),
    ]);
    return list("Dead letters", letters?.count ?? 0, "None was given up.", ["No.", "Message", "Why", "", "Content"], rows);
  }

  reservations(reservations) {
    const rows = (reservations ?? []).map((one) => [
      one.reservation_id,
      one.connector === 0 ? "any" : one.connector,
      one.id_tag,
      moment(Date.parse(one.expiry_date), this.now()),
      actions([["Cancel", () => this.press("cancel_reservation", { reservation_id: one.reservation_id })]], `reservation ${one.reservation_id}`),
    ]);
    return list("Reservations", rows.length, "None.", ["Id", "Connector", "Card", "Until", ""], rows);
  }

  profiles(profiles) {
    const rows = (profiles ?? []).map((one) => [
      one.id,
      one.connector,
      one.purpose,
      one.stack_level,
      `${one.kind}, ${one.unit}${one.valid ? "" : ", not now"}`,
      actions([["Remove", () => this.press("clear_charging_profiles", { profile_id: one.id })]], `profile ${one.id}`),
    ]);
    return list("Charging profiles", rows.length, "None is installed.", ["Id", "Connector", "Purpose", "Level", "Kind", ""], rows);
  }

  count(counters) {
    this.counters = counters;
    const { repairs = {}, ...numbers } = counters;
    const all = [...Object.entries(numbers), ...Object.entries(repairs).map(([name, number]) => [`repaired: ${name}`, number])];
    const shown = all.filter(([, number]) => number > 0 || find("all-counters").checked);
    const before = new Map([...find("counts").children].map((node) => [node.dataset.name, node]));
    const wanted = shown.map(([name, number]) => {
      const node = before.get(name) ?? el("div", { "data-name": name }, el("dt", {}, words(name)), el("dd"));
      const told = number.toLocaleString();
      if (node.lastChild.textContent !== told) node.lastChild.textContent = told;
      node.className = TROUBLE.has(name) && number > 0 ? "bad" : "";
      return node;
    });
    const now = [...find("counts").children];
    if (wanted.length !== now.length || wanted.some((node, index) => node !== now[index])) find("counts").replaceChildren(...wanted);
  }
}

/** Of a message, in one line. */
function content(message) {
  const text = JSON.stringify(message.payload) ?? "";
  return el("code", { title: text.slice(0, 4000) }, text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function actions(buttons, about) {
  return el("span", { class: "buttons" }, ...buttons.map(([text, act]) => el("button", { type: "button", class: "quiet", "aria-label": `${text} ${about}`, onclick: act }, text)));
}

function list(title, count, none, heads, rows) {
  const head = el("h3", {}, title, " ", el("span", { class: "number" }, String(count)));
  if (!rows.length) return [head, el("p", { class: "faint" }, none)];
  return [
    head,
    el(
      "div",
      { class: "wide", tabindex: "0", role: "group", "aria-label": title },
      el(
        "table",
        {},
        el("thead", {}, el("tr", {}, ...heads.map((text) => (text ? el("th", { scope: "col" }, text) : el("td"))))),
        el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map((value) => el("td", {}, value instanceof Node ? value : String(value)))))),
      ),
    ),
    count > rows.length ? el("p", { class: "faint" }, `and ${count - rows.length} more`) : "",
  ];
}
