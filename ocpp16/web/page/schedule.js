// The limits ahead: the composite schedule as a line of steps, each charging profile faintly behind it, and both as a table.

import { amount, el, find, hidden, refill, shortTime } from "./dom.js";
import { getJson } from "./link.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 240;
const MARGIN = { top: 14, right: 12, bottom: 26, left: 52 };
const HIGHER = 2.5; // how far a profile may be above the composite schedule before it is cut off
const TICKS = [60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
const DAY = 86400;
const COLOURS = 6;

export class Schedule {
  constructor() {
    this.connectors = 0;
    this.data = null;
    this.width = 0;
    this.asked = 0;
    this.signature = "";
    this.isOpen = false;
    this.colours = new Map(); // by id of a profile
    for (const id of ["schedule-connector", "schedule-duration", "schedule-unit"]) find(id).addEventListener("change", () => this.load());
    new ResizeObserver(([entry]) => {
      const width = Math.round(entry.contentRect.width);
      if (width !== this.width) {
        this.width = width;
        if (this.data) this.draw();
      }
    }).observe(find("plot"));
    setInterval(() => document.hidden || this.load(), 60_000);
  }

  offer(connectors) {
    if (connectors === this.connectors) return;
    this.connectors = connectors;
    const select = find("schedule-connector");
    const before = select.value;
    const all = Array.from({ length: connectors + 1 }, (_, number) => number);
    select.replaceChildren(...all.map((number) => el("option", { value: String(number) }, number === 0 ? "the whole station" : `connector ${number}`)));
    select.value = before || (connectors ? "1" : "0");
    this.load();
  }

  /** What it depends on; another text means that it is to be asked for again. */
  watch(signature) {
    if (signature === this.signature) return;
    this.signature = signature;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), 300);
  }

  async load() {
    const connector = find("schedule-connector").value;
    if (connector === "") return;
    const number = ++this.asked;
    try {
      const data = await getJson(`api/curves?connector=${connector}&duration=${find("schedule-duration").value}&unit=${find("schedule-unit").value}`);
      if (number !== this.asked) return;
      this.data = data;
      this.draw();
    } catch (error) {
      if (number !== this.asked) return;
      this.data = null;
      find("plot").replaceChildren(el("p", { class: "faint empty" }, error.status === 409 ? `No schedule: ${error.message}` : "The schedule cannot be had now."));
    }
  }

  /** A profile has its colour for as long as it is there, whatever comes and goes before it; a new one the rarest. */
  paint(profiles) {
    const before = this.colours;
    this.colours = new Map(profiles.filter(({ id }) => before.has(id)).map(({ id }) => [id, before.get(id)]));
    for (const { id } of profiles) {
      if (this.colours.has(id)) continue;
      const uses = new Array(COLOURS).fill(0);
      for (const colour of this.colours.values()) uses[colour] += 1;
      this.colours.set(id, uses.indexOf(Math.min(...uses)));
    }
  }

  draw() {
    const { data } = this;
    this.paint(data.profiles);
    const width = Math.max(this.width, 240);
    const inner = { width: width - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
    const highest = Math.max(0, ...data.steps.map(([, limit]) => limit));
    const profiles = data.profiles.flatMap((profile) => profile.steps.map(([, limit]) => limit ?? 0)).filter((limit) => limit <= HIGHER * highest || highest === 0);
    const { top, step } = scale(Math.max(highest, ...profiles, 1));
    const x = (second) => MARGIN.left + (inner.width * Math.min(second, data.duration)) / data.duration;
    const y = (limit) => MARGIN.top + inner.height * (1 - Math.min(limit, top * 1.04) / top);
    const parts = [];
    for (let value = 0; value <= top + step / 1000; value += step) {
      parts.push(svg("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(value), y2: y(value) }));
      parts.push(svg("text", { x: MARGIN.left - 8, y: y(value) + 4, "text-anchor": "end" }, amount(value)));
    }
    for (const [second, text] of times(data, inner.width)) {
      parts.push(svg("line", { class: "grid", x1: x(second), x2: x(second), y1: MARGIN.top, y2: MARGIN.top + inner.height }));
      parts.push(svg("text", { x: x(second), y: HEIGHT - 8, "text-anchor": "middle" }, text));
    }
    for (const profile of data.profiles) parts.push(svg("path", { class: `profile curve${this.colours.get(profile.id)}`, d: path(profile.steps, data.duration, x, y) }));
    const line = path(data.steps, data.duration, x, y);
    parts.push(svg("path", { class: "area", d: `${line}V${y(0)}H${x(0)}Z` }));
    parts.push(svg("path", { class: "composite", d: line }));
    const whose = data.connector ? `connector ${data.connector}` : "the whole station";
    const unit = data.unit === "A" ? "A per phase" : "W";
    const title = `Composite schedule of ${whose}, ${unit}: now ${amount(data.steps[0]?.[1] ?? 0)}, ${data.steps.length === 1 ? "all the time" : `${data.steps.length} steps`}`;
    const picture = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": title }, ...parts);
    const legend = data.profiles.map((profile) =>
      el("li", {}, svg("svg", { width: 24, height: 10, "aria-hidden": "true" }, svg("path", { class: `profile curve${this.colours.get(profile.id)}`, d: "M0 5H24" })), name(profile)),
    );
    const details = el(
      "details",
      { open: this.isOpen, ontoggle: (event) => (this.isOpen = event.target.open) },
      el("summary", {}, "As a table"),
      this.table(unit),
    );
    refill(
      find("plot"),
      picture,
      el(
        "ul",
        { class: "legend" },
        el("li", {}, svg("svg", { width: 24, height: 10, "aria-hidden": "true" }, svg("path", { class: "composite", d: "M0 5H24" })), "composite schedule"),
        ...legend,
        data.left_out ? el("li", { class: "faint" }, `${data.left_out} more profiles`) : null,
      ),
      data.profiles.length ? "" : el("p", { class: "faint" }, "No charging profile is installed here: the limit is the default."),
      details,
    );
  }

  table(unit) {
    const { data } = this;
    const shown = data.steps.slice(0, 200);
    return el(
      "div",
      { class: "wide", tabindex: "0", role: "region", "aria-label": "Steps of the composite schedule" },
      el(
        "table",
        {},
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "From"), el("th", { scope: "col" }, `Limit, ${unit}`), el("th", { scope: "col" }, "Phases"))),
        el("tbody", {}, ...shown.map(([second, limit, phases]) => el("tr", {}, el("td", {}, shortTime(data.start + 1000 * second, data.duration)), el("td", {}, amount(limit)), el("td", {}, phases ?? "–")))),
      ),
      data.steps.length > shown.length ? el("p", { class: "faint" }, `and ${data.steps.length - shown.length} more`) : null,
      hidden("end of the table"),
    );
  }
}

const name = (profile) => `${profile.id}: ${profile.purpose}, level ${profile.stack_level}${profile.steps.every(([, limit]) => limit === null) ? " (silent)" : ""}`;

function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A line of steps, with gaps where nothing is said. */
function path(steps, end, x, y) {
  let text = "";
  let isDown = false;
  steps.forEach(([second, limit], index) => {
    if (limit === null) {
      isDown = false;
      return;
    }
    const next = steps[index + 1]?.[0] ?? end;
    text += `${isDown ? "V" : `M${x(second)} `}${y(limit)}H${x(next)}`;
    isDown = true;
  });
  return text || "M0 0";
}

function scale(highest) {
  const size = 10 ** Math.floor(Math.log10(highest));
  const step = [0.2, 0.25, 0.5, 1, 2, 2.5].map((factor) => factor * size).find((one) => highest / one <= 5) ?? size;
  return { top: Math.ceil(highest / step) * step, step };
}

/** Labels of the axis, `[second, text]` each; `width`: pixels of what is drawn between the margins. */
export function times(data, width) {
  const room = data.duration > 2 * DAY ? 72 : 48; // pixels of a label and of what is between two
  const most = Math.max(2, Math.floor(width / room));
  const step = TICKS.find((one) => data.duration / one <= most) ?? Math.ceil(data.duration / DAY / most) * DAY;
  const zone = new Date(data.start).getTimezoneOffset() * 60;
  const begin = Math.floor(data.start / 1000) - zone;
  const found = [];
  const grid = Math.min(step, DAY); // of several days the first midnight is the first
  for (let at = Math.ceil(begin / grid) * grid; at <= begin + data.duration; at += step) found.push([at - begin, shortTime((at + zone) * 1000, data.duration)]);
  const half = room / 2; // those that would not be there whole are left out
  return found.filter(([second]) => (second / data.duration) * width > half - MARGIN.left && (second / data.duration) * width < width - half + MARGIN.right);
}
