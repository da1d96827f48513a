// The page: joins the stream with its parts, and says how the connection to the program is.

import { Commands } from "./commands.js";
import { Connectors, limitText } from "./connectors.js";
import { clock, duration, el, find, remembered, say, set, setClass } from "./dom.js";
import { Keys } from "./keys.js";
import { ofOne, Stream } from "./link.js";
import { Lists } from "./lists.js";
import { Schedule } from "./schedule.js";
import { Traffic } from "./traffic.js";
import { listen, tell, tellState } from "./trouble.js";

const state = { station: null, connectors: new Map(), profiles: "", ending: null };
const time = { at: Date.now(), here: performance.now(), speed: 1 };
const now = () => time.at + (performance.now() - time.here) * time.speed;

const commands = new Commands();
const traffic = new Traffic({ name: () => state.station?.identity ?? "" });
const schedule = new Schedule();
const lists = new Lists({ press: (name, given) => commands.press(name, given), now });
const connectors = new Connectors({
  run: (name, given, label) => commands.run(name, given, label),
  more: (number) => commands.list(number),
  now,
});
new Keys({ commands, connectors, traffic });

// The station

const badges = Object.fromEntries(["link", "registration", "limit", "clock"].map((name) => [name, el("li", { class: "badge" }, "…")]));
find("badges").append(...Object.values(badges));

const STATION_BUTTONS = [
  ["connect", (station) => (station.is_connected ? ["disconnect", "Disconnect"] : ["connect", "Connect"])],
  ["drop", () => ["drop", "Drop"]],
  ["heartbeat", () => ["heartbeat", "Heartbeat"]],
  ["stop", (station) => (station.is_running ? ["stop", "Stop"] : ["restart", "Restart"])],
];
const buttons = STATION_BUTTONS.map(([, choice]) => {
  const button = el("button", { type: "button", onclick: () => commands.press(choice(state.station ?? { is_connected: true, is_running: true })[0]) });
  set(button, choice({ is_connected: true, is_running: true })[1]);
  find("station-buttons").append(button);
  return [button, choice];
});

function showStation(station) {
  const before = state.station;
  state.station = station;
  set(find("identity"), station.identity);
  set(find("model"), `${station.vendor} ${station.model}, ${station.connectors} connector${station.connectors === 1 ? "" : "s"}, ${station.csms}`);
  document.title = `${station.identity} · ocpp16`;
  set(badges.link, !station.is_running ? "stopped" : station.is_connected ? "connected" : "offline");
  setClass(badges.link, `badge ${!station.is_running ? "bad" : station.is_connected ? "good" : "warn"}`);
  set(badges.registration, station.registration ?? "not registered");
  setClass(badges.registration, `badge ${station.registration === "Accepted" ? "good" : "warn"}`);
  set(badges.limit, `limit ${limitText(station.limit, now()).split(",")[0]}`);
  badges.limit.title = limitText(station.limit, now());
  badges.limit.hidden = station.limit === null || station.limit.limit === null;
  for (const [button, choice] of buttons) set(button, choice(station)[1]);
  if (before && before.is_connected !== station.is_connected) {
    find("said").textContent = station.is_connected ? "Connected to the Central System" : "The connection to the Central System is gone";
  }
}

setInterval(() => {
  if (state.station) set(badges.clock, time.speed === 1 ? clock(now()) : `${clock(now())}, × ${time.speed}`);
}, 500);

// The stream

function showParts(parts) {
  if (parts.clock) {
    Object.assign(time, parts.clock, { here: performance.now() });
  }
  if (parts.station) showStation(parts.station);
  if (parts.ending !== undefined) {
    state.ending = parts.ending;
    tell("ending", `The program ends: ${parts.ending}.`, "What it still sends is shown.");
  }
  const changed = [];
  for (const [name, part] of Object.entries(parts)) {
    if (name.startsWith("connector/")) {
      state.connectors.set(part.connector, part);
      connectors.update(part);
      changed.push(part.connector);
    } else if (name === "counters") {
      lists.count(part);
    } else if (["queue", "dead_letters", "reservations", "profiles"].includes(name)) {
      lists.show(name, part);
      if (name === "profiles") state.profiles = JSON.stringify(part);
    }
  }
  const count = state.station?.connectors ?? 0;
  commands.connectors = count;
  connectors.draw(count, changed);
  schedule.offer(count);
  const limits = [...state.connectors.values()].map((part) => [part.transaction?.started_at, part.limit?.limit, part.limit?.profile?.id]);
  schedule.watch(state.profiles + JSON.stringify([limits, state.station?.is_running]));
}

const stream = new Stream({
  hello(hello, { isFirst, isNew, lost }) {
    commands.take(hello.commands);
    connectors.offer(hello.cars);
    if (isNew && !isFirst) {
      state.connectors.clear();
      state.station = state.ending = null;
      connectors.forget();
      traffic.open.clear();
      const what = ofOne === null ? "The program was started again" : "It was opened anew, or the program was started again";
      traffic.note(`${what}.`);
      say(what);
    } else if (lost !== null && !isFirst) {
      traffic.note(`This page was cut off for ${duration(lost)}.`);
      say(`Connected again, after ${duration(lost)}`);
    }
  },
  parts: showParts,
  rows: (rows) => traffic.take(rows),
  missed({ count }) {
    traffic.note(`${count} messages are missing here: they were too many for this page, or came while nobody saw it.`, "error");
    say(`${count} messages were missed; the state is up to date again`, "bad");
  },
  state: (name, details) => tellState(stream, name, details, state.ending),
});

listen(stream);

for (const id of ["problems", "events"]) {
  const box = find(id);
  box.checked = remembered.get(id, String(box.checked)) === "true";
  box.addEventListener("change", () => remembered.set(id, box.checked));
}

if (ofOne !== null) {
  find("to-fleet").hidden = find("since").hidden = false;
  find("to-fleet").href = `./${location.hash}`;
  document.title = `${ofOne} · ocpp16`;
}

stream.run();
