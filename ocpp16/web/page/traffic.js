// The traffic: a request and its answer are one row, the newest last. What is kept and what is drawn is bounded.

import { clock, copy, el, find, hidden, milliseconds, refill, say, set, setHidden, took } from "./dom.js";
import { getBlob } from "./link.js";

const MOST_KEPT = 2000; // exchanges and events
const MOST_SIZE = 48 * 1024 * 1024; // characters of their frames
const MOST_DRAWN = 300; // rows of the table
const MOST_OPEN = 1000; // requests that an answer may still come to
const GLANCE = 140;

export class Traffic {
  constructor({ name }) {
    this.name = name;
    this.items = [];
    this.open = new Map();
    this.asked = null; // what the charge point asked last
    this.fresh = []; // came since the last drawing
    this.changed = new Set();
    this.total = 0;
    this.size = 0;
    this.isHeld = false;
    this.isDue = false;
    this.scroller = find("scroller");
    this.body = find("messages");
    find("filter").addEventListener("input", () => this.redraw());
    find("filter").addEventListener("keydown", (event) => this.leaveFilter(event));
    for (const id of ["problems", "events"]) find(id).addEventListener("change", () => this.redraw());
    find("hold").addEventListener("click", () => this.hold());
    find("clear").addEventListener("click", () => this.clear());
    find("download").addEventListener("click", () => this.download());
    find("newest").addEventListener("click", () => this.toNewest());
    this.scroller.addEventListener("scroll", () => setHidden(find("newest"), this.isAtEnd()), { passive: true });
    this.body.addEventListener("keydown", (event) => this.move(event));
  }

  // What comes

  take(rows) {
    for (const row of rows) {
      this.total += 1;
      if (row.kind === "EVENT") {
        this.add({ kind: "event", at: Date.parse(row.at), event: row.event });
      } else if (row.kind === "MALFORMED") {
        this.add({ kind: "malformed", at: Date.parse(row.at), direction: row.direction, answer: row, problem: "error" });
      } else if (row.kind === "CALL") {
        const item = { kind: "exchange", at: Date.parse(row.at), direction: row.direction, request: row, answer: null };
        this.open.delete(row.asker + row.id);
        this.open.set(row.asker + row.id, item);
        if (this.open.size > MOST_OPEN) this.open.delete(this.open.keys().next().value);
        if (row.direction === "sent") this.asks(item);
        this.add(item);
      } else {
        this.answer(row);
      }
    }
    this.due();
  }

  /** A charge point asks one thing at a time: when it asks the next, it does not wait for the one before any more. */
  asks(next) {
    const item = this.asked;
    this.asked = next;
    if (item === null || item.answer) return;
    item.problem = "error";
    if (item.row || !item.isGone) this.changed.add(item);
  }

  answer(row) {
    const key = row.asker + row.id;
    const item = this.open.get(key);
    this.open.delete(key);
    if (!item) {
      this.add({ kind: "exchange", at: Date.parse(row.at), direction: row.asker, request: null, answer: row, problem: row.problem });
      return;
    }
    item.answer = row;
    if (!item.isGone) this.size += row.size;
    item.problem = row.problem;
    item.text = null;
    if (item.row || !item.isGone) this.changed.add(item);
  }

  /** A line between the messages. */
  note(text, problem = "") {
    this.add({ kind: "note", at: Date.now(), note: text, problem });
    this.due();
  }

  add(item) {
    this.items.push(item);
    this.fresh.push(item);
    this.size += sizeOf(item);
    let gone = 0;
    while (this.items.length - gone > MOST_KEPT || (this.size > MOST_SIZE && this.items.length - gone > 1)) {
      const oldest = this.items[gone];
      this.size -= sizeOf(oldest);
      oldest.isGone = true; // its answer may come yet
      this.changed.delete(oldest);
      gone += 1;
    }
    if (gone) this.items.splice(0, gone);
    if (this.fresh.length > MOST_KEPT) this.fresh.splice(0, this.fresh.length - MOST_KEPT);
  }

  // What is drawn

  due() {
    if (this.isDue) return;
    this.isDue = true;
    const draw = () => {
      this.isDue = false;
      this.draw();
    };
    // A page that nobody sees is given no frames: it draws a little later then.
    if (document.hidden) setTimeout(draw, 500);
    else requestAnimationFrame(draw);
  }

  draw() {
    if (this.isHeld) {
      this.count();
      return;
    }
    const wasAtEnd = this.isAtEnd() && !this.body.lastElementChild?.matches(".details"); // who reads is left in peace
    for (const item of this.changed) {
      if (item.row) this.fill(item);
      else if (this.fits(item) && !this.fresh.includes(item)) this.fresh.push(item);
    }
    this.changed.clear();
    if (!wasAtEnd && this.body.rows.length > 2 * MOST_DRAWN) {
      this.count(); // who reads further up is left where they are; the rest is drawn when they come back
      return;
    }
    const fresh = this.fresh.filter((item) => !item.row && this.fits(item)).slice(-MOST_DRAWN);
    this.fresh = [];
    if (fresh.length) {
      const made = document.createDocumentFragment();
      for (const item of fresh) made.append(this.make(item));
      this.body.append(made);
    }
    if (wasAtEnd) {
      this.trim();
      this.scroller.scrollTop = this.scroller.scrollHeight;
    }
    setHidden(find("newest"), this.isAtEnd());
    this.count();
  }

  /** The oldest rows go, but for the one that has the keyboard. */
  trim() {
    const focused = document.activeElement.closest("#messages tr");
    const kept = focused?.matches(".details") ? focused.previousElementSibling : focused;
    const its = kept?.nextElementSibling?.matches(".details") ? kept.nextElementSibling : null;
    let first = 0;
    while (this.body.rows.length - first > MOST_DRAWN) {
      const row = this.body.rows[first];
      if (row === kept || row === its) {
        first += 1;
        continue;
      }
      if (row.item) {
        row.item.row = row.item.details = null;
        row.item = null;
      }
      row.remove();
    }
  }

  redraw() {
    for (const row of this.body.rows) if (row.item) row.item.row = row.item.details = null;
    this.body.replaceChildren();
    this.changed.clear();
    this.fresh = this.items.slice();
    const isHeld = this.isHeld;
    this.isHeld = false;
    this.draw();
    this.isHeld = isHeld;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  fits(item) {
    if (item.kind === "event" && !find("events").checked) return false;
    if (find("problems").checked && !item.problem && item.kind !== "note") return false;
    const wanted = find("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    if (!wanted.length) return true;
    item.text ??= JSON.stringify([item.request?.action, item.answer?.action, item.request?.frame ?? item.request?.text, item.answer?.frame ?? item.answer?.text, item.event, item.note]).toLowerCase();
    return wanted.every((word) => item.text.includes(word));
  }

  isAtEnd() {
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    return scrollTop + clientHeight >= scrollHeight - 24;
  }

  toNewest() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.draw();
  }

  count() {
    const messages = this.items.length;
    const shown = [...this.body.rows].filter((row) => row.item).length;
    const held = this.fresh.length ? `, ${this.fresh.length} behind` : "";
    set(find("rows"), shown < messages ? `${shown} of ${messages} shown${held}` : `${messages}${held}`);
    find("rows").dataset.total = this.total;
    setHidden(find("no-traffic"), shown > 0);
    set(find("no-traffic"), messages ? "Nothing fits the filter." : "No messages yet.");
  }

  make(item) {
    const row = el("tr", { class: item.kind });
    row.item = item;
    item.row = row;
    const time = el("td", { class: "time" }, ...(Number.isNaN(item.at) ? [] : [clock(item.at), el("span", {}, milliseconds(item.at))]));
    if (item.kind === "event" || item.kind === "note") {
      const text = item.note ?? eventText(item.event);
      row.append(time, el("td", { colspan: "6", class: "what" }, text));
      if (item.problem) row.classList.add(item.problem);
      return row;
    }
    const isSent = item.direction === "sent";
    const frame = item.request ?? item.answer;
    const opener = el("button", { type: "button", class: "opener", "aria-expanded": "false", onclick: () => this.toggle(item) }, item.kind === "malformed" ? "(no OCPP message)" : frame.action || "(answer)");
    item.opener = opener;
    item.chip = el("span", { class: "chip" });
    item.latency = el("td", { class: "took" });
    row.append(
      time,
      el("td", { class: `way ${isSent ? "sent" : "received"}` }, el("span", { "aria-hidden": "true" }, isSent ? "→" : "←"), hidden(isSent ? "charge point asks" : "Central System asks")),
      el("th", { scope: "row" }, opener),
      el("td", { class: "where" }, frame.connector ?? ""),
      el("td", { class: "glance" }, glance(frame)),
      el("td", {}, item.chip),
      item.latency,
    );
    this.fill(item);
    return row;
  }

  fill(item) {
    if (!item.chip) return;
    const [text, kind] = answerText(item);
    set(item.chip, text);
    item.chip.title = text;
    item.chip.className = `chip ${kind}`;
    item.row.className = `${item.kind} ${item.problem ?? ""}`;
    set(item.latency, took(item.answer?.latency));
    if (item.details) {
      refill(item.details, ...this.details(item).childNodes);
    }
  }

  // A row that is opened

  toggle(item) {
    const isOpen = Boolean(item.details);
    item.opener.setAttribute("aria-expanded", String(!isOpen));
    if (isOpen) {
      item.details.remove();
      item.details = null;
    } else {
      item.details = this.details(item);
      item.row.after(item.details);
      const below = item.details.getBoundingClientRect().bottom - this.scroller.getBoundingClientRect().bottom;
      const most = item.row.offsetTop - this.body.offsetTop - this.scroller.scrollTop;
      if (below > 0) this.scroller.scrollTop += Math.max(0, Math.min(below, most));
    }
  }

  details(item) {
    const panes = [];
    if (item.request) panes.push(pane("Request", item.request));
    if (item.answer) panes.push(pane(item.kind === "malformed" ? "Text" : "Answer", item.answer));
    const both = [item.request, item.answer].filter(Boolean).map(frameOf);
    return el(
      "tr",
      { class: "details" },
      el(
        "td",
        { colspan: "7" },
        el("div", { class: "panes" }, ...panes),
        el(
          "div",
          { class: "buttons" },
          el("button", { type: "button", onclick: () => copy(JSON.stringify(both, null, 2), "The exchange") }, "Copy as JSON"),
          el("button", { type: "button", class: "quiet", onclick: () => this.only(item) }, "Only this action"),
        ),
      ),
    );
  }

  only(item) {
    find("filter").value = (item.request ?? item.answer).action;
    this.redraw();
    find("filter").focus();
  }

  /** Up and down, from one message to the next. */
  move(event) {
    if (!event.target.matches(".opener") || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    const openers = [...this.body.querySelectorAll(".opener")];
    const next = openers[openers.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  }

  // What can be done with it

  /** Esc empties the filter, and leaves it when it is empty. Browsers do the first without an event. */
  leaveFilter(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    if (event.target.value === "") {
      event.target.blur();
    } else {
      event.target.value = "";
      this.redraw();
    }
  }

  hold() {
    this.isHeld = !this.isHeld;
    find("hold").setAttribute("aria-pressed", String(this.isHeld));
    set(find("hold"), this.isHeld ? "Go on" : "Hold");
    if (!this.isHeld) this.draw();
    this.count();
  }

  clear() {
    this.items = [];
    this.fresh = [];
    this.size = 0;
    this.open.clear();
    this.redraw();
    find("said").textContent = "The list is empty.";
  }

  async download() {
    try {
      const blob = await getBlob("api/trace");
      const url = URL.createObjectURL(blob);
      const link = el("a", { href: url, download: `${this.name().replace(/[^\w.-]+/g, "_") || "trace"}.jsonl` });
      document.body.append(link);
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
      say("The trace is downloaded");
    } catch (error) {
      say(`The trace cannot be had: ${error.message}`, "bad");
    }
  }
}

const sizeOf = (item) => (item.request?.size ?? 0) + (item.answer?.size ?? 0);
const frameOf = (row) => row.frame ?? row.text;

function glance(row) {
  if (!row) return "";
  const frame = row.frame;
  if (!frame) return (row.text ?? "").slice(0, GLANCE);
  if (frame[0] === 4) return String(frame[3] ?? "").slice(0, GLANCE);
  const isKnown = (name, value) => (name === "connectorId" && row.connector !== null) || (name === "errorCode" && value === "NoError");
  const text = JSON.stringify(frame.at(-1), (name, value) => (isKnown(name, value) ? undefined : value));
  return text === "{}" ? "" : text.slice(1, -1).replaceAll('"', "").slice(0, GLANCE);
}

/** What is said of an answer in its column, and the kind of chip. */
function answerText(item) {
  const { answer, kind } = item;
  if (kind === "malformed") return ["unreadable", "error"];
  if (!answer) return item.problem ? ["no answer", "error"] : ["waiting …", "open"];
  if (answer.unasked) return ["nobody asked", "error"];
  const frame = answer.frame;
  if (!frame) return ["(long)", ""];
  if (frame[0] === 4) return [String(frame[2]), "error"];
  const payload = frame[2] ?? {};
  const status = payload.idTagInfo?.status ?? payload.status;
  if (typeof status === "string") return [status, answer.problem === "refusal" ? "refusal" : "good"];
  return ["OK", "good"];
}

function pane(title, row) {
  const body = row.frame ? JSON.stringify(row.frame, null, 2) : row.text;
  const notes = [row.redacted ? "secrets are hidden" : "", row.cut ? `${row.cut} more characters are in the trace` : ""].filter(Boolean).join(", ");
  return el("div", { class: "pane" }, el("h3", {}, title, notes ? el("span", { class: "faint" }, ` (${notes})`) : null), el("pre", { tabindex: "0" }, body));
}

/** An event in words: its name, then its members. */
function eventText(event) {
  const { event: name, time, ...members } = event;
  const said = Object.entries(members)
    .filter(([, value]) => value !== null && value !== "" && typeof value !== "object")
    .map(([member, value]) => `${member.replaceAll("_", " ")} ${value}`);
  return [name.replaceAll("_", " "), ...said].join(" · ");
}
