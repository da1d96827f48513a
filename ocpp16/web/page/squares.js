// The charge points as squares on a canvas, and how many are in which state; one is chosen by mouse, keys, or its id.

import { el, find, set, setHidden } from "./dom.js";

// Letter, name, colour by a name of the style sheet.
const STATES = [
  ["A", "Available", "--state-available"],
  ["P", "Preparing", "--state-preparing"],
  ["C", "Charging", "--state-charging"],
  ["V", "SuspendedEV", "--state-suspended-ev"],
  ["S", "SuspendedEVSE", "--state-suspended-evse"],
  ["E", "Finishing", "--state-finishing"],
  ["R", "Reserved", "--state-reserved"],
  ["U", "Unavailable", "--state-unavailable"],
  ["F", "Faulted", "--state-faulted"],
  ["u", "connected, not accepted", "--state-unaccepted"],
  ["o", "offline", "--state-offline"],
  [".", "not come yet", "--state-absent"],
];
const SIZES = [20, 14, 10, 8, 7, 6, 5]; // of a square, with its gap
const HIGHEST = 560; // of all squares, if there is room
const NAMES = Object.fromEntries(STATES.map(([letter, name]) => [letter, name]));

export class Squares {
  /** `open(id)` opens one. */
  constructor({ open }) {
    this.open = open;
    this.ids = [];
    this.letters = "";
    this.chosen = -1;
    this.columns = 1;
    this.size = 8;
    this.canvas = find("mosaic");
    new ResizeObserver(() => this.draw()).observe(find("squares"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    this.canvas.addEventListener("contextrestored", () => this.draw());
    this.canvas.addEventListener("mousemove", (event) => this.hover(event));
    this.canvas.addEventListener("mouseleave", () => this.tell());
    this.canvas.addEventListener("click", (event) => this.click(event));
    this.canvas.addEventListener("keydown", (event) => this.press(event));
    find("choose").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = find("member").value.trim();
      if (text) this.open(text);
    });
  }

  offer(ids, leftOut) {
    this.ids = ids;
    this.leftOut = leftOut;
    this.chosen = Math.min(this.chosen, ids.length - 1);
    find("member-ids").replaceChildren(...ids.slice(0, 1000).map((id) => el("option", { value: id })));
  }

  show(letters) {
    if (letters === this.letters) return;
    const before = this.letters;
    this.letters = letters;
    if (before.length === letters.length) this.draw(before);
    else this.draw();
    this.count();
    this.tell();
  }

  count() {
    const counts = {};
    for (const letter of this.letters) counts[letter] = (counts[letter] ?? 0) + 1;
    const items = STATES.filter(([letter]) => counts[letter]).map(([letter, name]) => el("li", {}, el("span", { class: `square ${NAMES[letter].replaceAll(/[ ,]+/g, "-")}`, "aria-hidden": "true" }), `${counts[letter].toLocaleString("en")} ${name}`));
    if (this.leftOut) items.push(el("li", { class: "faint" }, `${this.leftOut.toLocaleString("en")} more are not shown`));
    find("states").replaceChildren(...items);
  }

  /** All squares, or only those that are other ones than `before`. */
  draw(before = "") {
    const box = find("squares");
    setHidden(box, !this.letters);
    const style = getComputedStyle(box);
    const width = Math.floor(box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight));
    const count = this.letters.length;
    if (!count || width < 50) return;
    const ratio = devicePixelRatio || 1;
    const wanted = SIZES.find((size) => Math.ceil(count / Math.floor(width / size)) * size <= HIGHEST) ?? SIZES.at(-1);
    const cell = Math.round(wanted * ratio); // whole pixels of the screen, so that no square leaves a seam
    const gap = Math.max(1, Math.round(ratio));
    this.size = cell / ratio;
    this.columns = Math.floor(width / this.size);
    const rows = Math.ceil(count / this.columns);
    if (this.canvas.width !== this.columns * cell || this.canvas.height !== rows * cell) {
      this.canvas.width = this.columns * cell;
      this.canvas.height = rows * cell;
      this.canvas.style.width = `${this.columns * this.size}px`;
      this.canvas.style.height = `${rows * this.size}px`;
      before = "";
    }
    const pen = this.canvas.getContext("2d");
    if (!before) pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const colours = Object.fromEntries(STATES.map(([letter, , name]) => [letter, style.getPropertyValue(name)]));
    for (let index = 0; index < count; index++) {
      const letter = this.letters[index];
      if (letter === before[index]) continue;
      pen.fillStyle = colours[letter];
      pen.fillRect((index % this.columns) * cell, Math.floor(index / this.columns) * cell, cell - gap, cell - gap);
    }
    this.mark();
  }

  /** Where the chosen one is: a frame over the canvas, so that no square has to be drawn again. */
  mark() {
    const frame = find("mark");
    setHidden(frame, this.chosen < 0);
    if (this.chosen < 0) return;
    frame.style.width = frame.style.height = `${this.size + 1}px`;
    frame.style.transform = `translate(${(this.chosen % this.columns) * this.size - 1}px, ${Math.floor(this.chosen / this.columns) * this.size - 1}px)`;
  }

  at(event) {
    const column = Math.floor(event.offsetX / this.size);
    const index = Math.floor(event.offsetY / this.size) * this.columns + column;
    return column < this.columns && index < this.letters.length ? index : -1;
  }

  hover(event) {
    const index = this.at(event);
    this.canvas.title = index < 0 ? "" : this.words(index);
  }

  words(index) {
    return `${this.ids[index]}: ${NAMES[this.letters[index]]}`;
  }

  tell() {
    set(find("chosen"), this.chosen < 0 ? "None is chosen." : this.words(this.chosen));
  }

  click(event) {
    const index = this.at(event);
    if (index < 0) return;
    this.choose(index);
    this.open(this.ids[index]);
  }

  choose(index) {
    this.chosen = Math.max(0, Math.min(index, this.letters.length - 1));
    find("member").value = this.ids[this.chosen];
    this.mark();
    this.tell();
  }

  press(event) {
    const { columns, chosen } = this;
    const ways = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -chosen, End: this.letters.length - 1 - chosen };
    if (event.ctrlKey || event.altKey || event.metaKey || !this.letters) return;
    if (event.key in ways) {
      this.choose(chosen < 0 && event.key !== "End" ? 0 : chosen + ways[event.key]);
      find("mark").scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter" && chosen >= 0) this.open(this.ids[chosen]);
    else return;
    event.preventDefault();
  }
}
