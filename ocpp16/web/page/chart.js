// A picture of figures over the seconds of a test, as SVG.

import { set } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 200;
const MARGIN = { left: 64, right: 12, top: 10, bottom: 24 };
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];

export class Chart {
  /** `lines`: [name, column, of an entry] each; `say(value)` writes one; `isLog`: for what spans many sizes. */
  constructor(node, { title, lines, say, isLog = false }) {
    Object.assign(this, { node, title, lines, say, isLog });
    this.entries = [];
    this.width = 0;
    new ResizeObserver(([entry]) => {
      this.width = entry.contentRect.width;
      this.draw();
    }).observe(node);
  }

  show(entries) {
    this.entries = entries;
    this.draw();
  }

  draw() {
    const { entries } = this;
    if (!this.width) return;
    const width = Math.max(this.width, 220);
    const values = this.lines.flatMap(([, column]) => entries.map((entry) => entry[column])).filter((value) => value !== null && (!this.isLog || value > 0));
    if (!values.length) {
      this.node.replaceChildren(Object.assign(document.createElement("p"), { className: "faint empty", textContent: "Nothing was measured yet." }));
      return;
    }
    const begin = entries[0].at - entries[0].span;
    const end = Math.max(entries.at(-1).at, begin + 1);
    const inner = { width: width - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
    const x = (at) => MARGIN.left + (inner.width * (at - begin)) / (end - begin);
    const { marks, place } = this.isLog ? logarithmic(values) : linear(values);
    const y = (value) => MARGIN.top + inner.height * (1 - place(value));
    const parts = marks.flatMap((mark) => [
      svg("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(mark), y2: y(mark) }),
      svg("text", { x: MARGIN.left - 8, y: y(mark) + 4, "text-anchor": "end" }, this.say(mark)),
    ]);
    const step = STEPS.find((one) => (end - begin) / one <= Math.max(2, inner.width / 70)) ?? 604800;
    for (let at = Math.ceil(begin / step) * step; at <= end; at += step) parts.push(svg("text", { x: x(at), y: HEIGHT - 6, "text-anchor": "middle" }, time(at)));
    for (const entry of entries) {
      if (entry.is_late) parts.push(svg("rect", { class: "late", x: x(entry.at - entry.span), width: Math.max(1, x(entry.at) - x(entry.at - entry.span)), y: MARGIN.top, height: inner.height }));
    }
    this.lines.forEach(([, column], index) => parts.push(svg("path", { class: `curve${index}`, d: path(entries, column, x, y, this.isLog) })));
    const last = this.lines.map(([name, column]) => `${name} ${entries.at(-1)[column] === null ? "none" : this.say(entries.at(-1)[column])}`);
    this.node.replaceChildren(svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": `${this.title}, in the last second: ${last.join(", ")}` }, ...parts), this.legend(last));
  }

  legend(last) {
    const list = document.createElement("ul");
    list.className = "legend";
    this.lines.forEach((_, index) => {
      const item = document.createElement("li");
      item.append(svg("svg", { width: 18, height: 10, "aria-hidden": "true" }, svg("path", { class: `curve${index}`, d: "M0 5H18" })), last[index]);
      list.append(item);
    });
    if (this.entries.some((entry) => entry.is_late)) {
      const item = document.createElement("li");
      set(item, "shaded: the tool itself was late");
      list.append(item);
    }
    return list;
  }
}

function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function path(entries, column, x, y, isLog) {
  let text = "";
  let isDown = false;
  for (const entry of entries) {
    const value = entry[column];
    if (value === null || (isLog && value <= 0)) {
      isDown = false;
      continue;
    }
    text += `${isDown ? "L" : "M"}${x(entry.at).toFixed(1)} ${y(value).toFixed(1)}${isDown ? "" : "h.1"}`;
    isDown = true;
  }
  return text || "M0 0";
}

function linear(values) {
  const highest = Math.max(...values, 1);
  const size = 10 ** Math.floor(Math.log10(highest));
  const step = [0.2, 0.5, 1, 2].map((factor) => factor * size).find((one) => highest / one <= 5) ?? 5 * size;
  const top = Math.ceil(highest / step) * step;
  return { marks: Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step), place: (value) => value / top };
}

function logarithmic(values) {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const marks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
  return { marks, place: (value) => (Math.log10(value) - low) / (high - low) };
}

/** Since the test began: 1:05, or 2:01:05. */
export function time(seconds) {
  const whole = Math.round(seconds);
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}:${two(whole % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
