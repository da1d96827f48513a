// The connectors: a card each, or, where there are many, a mosaic of their states and the card of the chosen one.

import { amount, duration, el, energy, find, hidden, moment, power, remembered, say, set, setClass, setHidden } from "./dom.js";

const MOST_CARDS = 12;

export class Connectors {
  /** `run(name, arguments, label)` carries out a command; `more(connector)` lists all of them; `now()` is the charge point's time, ms. */
  constructor({ run, more, now, isKnown }) {
    Object.assign(this, { run, more, now, isKnown });
    this.cards = new Map();
    this.tiles = new Map();
    this.parts = new Map();
    this.chosen = null;
    this.count = 0;
    const card = find("card");
    card.value = remembered.get("card", "CARD-1");
    card.addEventListener("change", () => remembered.set("card", card.value));
    find("mosaic").addEventListener("keydown", (event) => this.move(event));
    setInterval(() => this.tick(), 1000);
  }

  /** The kinds of cars that may come. */
  offer(cars) {
    const select = find("car");
    const before = select.value || remembered.get("car", "");
    select.replaceChildren(el("option", { value: "" }, "any"), ...cars.map((name) => el("option", { value: name }, name)));
    select.value = cars.includes(before) ? before : "";
    select.onchange = () => remembered.set("car", select.value);
  }

  forget() {
    this.cards.clear();
    this.tiles.clear();
    this.parts.clear();
    this.count = 0;
    this.chosen = null;
    for (const id of ["cards", "mosaic", "states"]) find(id).replaceChildren();
  }

  update(part) {
    const number = part.connector;
    const before = this.parts.get(number);
    this.parts.set(number, part);
    if (before && before.status !== part.status) {
      find("said").textContent = `Connector ${number}: ${part.status}`;
    }
  }

  /** Called once for all parts that came together. */
  draw(count, changed) {
    if (count !== this.count) {
      this.count = count;
      const isMosaic = count > MOST_CARDS;
      for (const id of ["mosaic", "states"]) setHidden(find(id), !isMosaic);
      find("cards").replaceChildren();
      this.cards.clear();
      if (isMosaic) {
        for (let number = 1; number <= count; number++) this.addTile(number);
        this.choose(1);
      } else {
        this.chosen = null;
        for (let number = 1; number <= count; number++) this.addCard(number);
      }
      changed = [...this.parts.keys()];
    }
    for (const number of changed) {
      const part = this.parts.get(number);
      this.cards.get(number)?.show(part);
      const tile = this.tiles.get(number);
      if (tile) {
        setClass(tile, `tile state ${part.status}`);
        const text = `Connector ${number}: ${part.status}`;
        if (tile.title !== text) {
          tile.title = text;
          tile.setAttribute("aria-label", text);
        }
      }
    }
    if (this.tiles.size && changed.length) this.tally();
  }

  /** How many there are of each state, the most first: of many not all squares are in sight. */
  tally() {
    const counts = new Map();
    for (const { status } of this.parts.values()) counts.set(status, (counts.get(status) ?? 0) + 1);
    const items = [...counts].sort(([one, of], [other, others]) => others - of || one.localeCompare(other));
    const text = items.map(([status, count]) => `${count.toLocaleString("en")} ${status}`);
    const list = find("states");
    if (list.textContent === text.join("")) return;
    list.replaceChildren(...items.map(([status], index) => el("li", { class: `state ${status}` }, text[index])));
  }

  addCard(number) {
    const card = new Card(number, this);
    this.cards.set(number, card);
    find("cards").append(card.node);
    const part = this.parts.get(number);
    if (part) card.show(part);
  }

  addTile(number) {
    const tile = el("button", { type: "button", class: "tile state", "aria-pressed": "false", tabindex: "-1", onclick: () => this.choose(number) }, String(number));
    this.tiles.set(number, tile);
    find("mosaic").append(tile);
  }

  choose(number) {
    this.press(this.chosen, false);
    this.chosen = number;
    this.press(number, true);
    this.cards.clear();
    find("cards").replaceChildren();
    this.addCard(number);
  }

  /** Only the chosen one is a stop of the Tab key: there may be a thousand. */
  press(number, isChosen) {
    const tile = this.tiles.get(number);
    tile?.setAttribute("aria-pressed", String(isChosen));
    tile?.setAttribute("tabindex", isChosen ? "0" : "-1");
  }

  move(event) {
    const columns = getComputedStyle(find("mosaic")).gridTemplateColumns.split(" ").length;
    const way = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -this.count, End: this.count }[event.key];
    if (!way || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.choose(Math.max(1, Math.min(this.count, this.chosen + way)));
    this.tiles.get(this.chosen).focus();
  }

  /** Puts the keyboard on a connector. */
  focus(number) {
    if (number > this.count) return;
    if (this.tiles.size) this.choose(number);
    this.cards.get(number)?.buttons.car.focus();
  }

  tick() {
    for (const card of this.cards.values()) card.tick();
  }
}

class Card {
  constructor(number, of) {
    this.number = number;
    this.of = of;
    const line = (name) => {
      const node = el("dd");
      this.lines[name] = node;
      return node;
    };
    this.lines = {};
    this.buttons = {};
    this.state = el("span", { class: "state" }, "…");
    this.power = el("strong", {}, "–");
    this.amperes = el("span", { class: "faint" });
    this.bar = el("div", { class: "fill" });
    const title = `connector-${number}`;
    this.node = el(
      "article",
      { class: "card connector", "aria-labelledby": title },
      el("div", { class: "head" }, el("h3", { id: title }, `Connector ${number}`), this.state),
      el("p", { class: "power" }, this.power, " ", this.amperes),
      el("div", { class: "gauge", "aria-hidden": "true" }, this.bar),
      el(
        "dl",
        {},
        el("div", {}, el("dt", {}, "Car"), line("car")),
        el("div", {}, el("dt", {}, "Meter"), line("meter")),
        el("div", {}, el("dt", {}, "Session"), line("session")),
        el("div", {}, el("dt", {}, "Limit"), line("limit")),
      ),
      el(
        "div",
        { class: "buttons", role: "group", "aria-label": `Connector ${number}: what people and cars do` },
        this.button("car", () => this.car()),
        this.button("card", () => this.card(), "Present card"),
        this.button("draw", () => this.draw()),
        this.button("fault", () => this.fault()),
        this.button("service", () => this.service()),
        el("button", { type: "button", class: "quiet", onclick: () => of.more(number) }, "More …", hidden(` for connector ${number}`)),
      ),
    );
  }

  button(name, act, text = "") {
    const label = el("span", {}, text);
    const button = el("button", { type: "button", onclick: act }, label, hidden(` connector ${this.number}`));
    this.buttons[name] = button;
    button.label = label;
    return button;
  }

  run(name, given, label) {
    return this.of.run(name, { connector: this.number, ...given }, `${label}, connector ${this.number}`);
  }

  car() {
    if (this.part?.car) return this.run("unplug", {}, "Unplug");
    const car = find("car").value;
    return this.run("plug_in", car ? { car } : {}, "Plug in");
  }

  card() {
    const tag = find("card").value.trim();
    if (!tag) {
      say("Which card? Type its id tag first.", "bad");
      find("card").focus();
      return null;
    }
    return this.of.run("present_id_tag", { id_tag: tag, connectors: [this.number] }, `Card ${tag}, connector ${this.number}`);
  }

  draw() {
    return this.part?.car?.is_drawing ? this.run("pause_drawing", {}, "Pause") : this.run("resume_drawing", {}, "Resume");
  }

  fault() {
    if (this.part && this.part.error !== "NoError") return this.run("clear_fault", { error: this.part.error }, "Clear fault");
    return this.run("raise_fault", { error: "OtherError" }, "Raise fault");
  }

  service() {
    const kind = this.isOut() ? "Operative" : "Inoperative";
    return this.run("change_availability", { kind }, this.isOut() ? "Into service" : "Out of service");
  }

  isOut() {
    return this.part?.status === "Unavailable" || this.part?.is_enabled === false;
  }

  show(part) {
    if (!part) return;
    this.part = part;
    const { car, meter, transaction, limit } = part;
    set(this.state, part.error === "NoError" ? part.status : `${part.status}: ${part.error}`);
    setClass(this.state, `state ${part.status}`);
    this.node.dataset.status = part.status;
    set(this.power, power(meter.power));
    const amperes = meter.current.filter((value) => value > 0).map(amount);
    set(this.amperes, amperes.length ? `${amperes.join(" / ")} A` : "no current");
    set(this.lines.car, carText(car, part.is_dc));
    set(this.lines.meter, energy(meter.energy));
    set(this.lines.limit, limitText(limit, this.of.now()));
    const most = limit?.limit ?? (limit?.unit === "W" ? 22000 : 32);
    const now = limit?.unit === "W" ? meter.power ?? 0 : Math.max(0, ...meter.current);
    this.bar.style.width = `${most > 0 ? Math.min(100, (100 * now) / most) : 0}%`;
    set(this.buttons.car.label, car ? "Unplug" : "Plug in");
    set(this.buttons.draw.label, car?.has_begun && !car.is_drawing ? "Resume" : "Pause");
    this.buttons.draw.disabled = !car?.has_begun;
    set(this.buttons.fault.label, part.error === "NoError" ? "Raise fault" : "Clear fault");
    set(this.buttons.service.label, this.isOut() ? "Into service" : "Out of service");
    setClass(this.buttons.car, car ? "" : "strong");
    setClass(this.buttons.card, car && !transaction ? "strong" : "");
    this.tick();
  }

  tick() {
    if (this.part) set(this.lines.session, sessionText(this.part, this.of.now()));
  }
}

function carText(car, isDc) {
  if (!car) return "none";
  if (!car.is_plugged) return "coming";
  const what = car.has_failed ? "diode broken" : car.is_drawing ? "draws" : "plugged in";
  const wish = isDc ? "" : `, up to ${amount(car.current)} A × ${car.phases}`;
  const battery = car.soc === null ? "" : `, battery ${Math.round(car.soc)} %`;
  return `${what}${wish}${battery}`;
}

function sessionText(part, now) {
  const { transaction, session, id_tag: tag } = part;
  if (transaction) {
    const id = transaction.transaction_id === null ? "no id yet" : `no. ${transaction.transaction_id}`;
    const refused = transaction.is_refused ? ", refused" : "";
    return `${transaction.id_tag}, ${id}${refused}, ${duration(now - transaction.started_at)}, ${energy(transaction.energy)}`;
  }
  if (tag) return `${tag} may charge`;
  return session ? "waits for a card" : "none";
}

/** What it is, and why: which charging profile, or what else. */
export function limitText(limit, now) {
  if (!limit) return "not told";
  if (limit.limit === null) return "none";
  const phases = limit.phases ? ` × ${limit.phases}` : "";
  const parts = [`${amount(limit.limit)} ${limit.unit}${phases}`];
  if (limit.profile) parts.push(`by profile ${limit.profile.id} (${limit.profile.purpose}, level ${limit.profile.stack_level})`);
  if (limit.converted) parts.push("converted");
  if (limit.shared) parts.push(limit.before_sharing === null ? "shared" : `shared, ${amount(limit.before_sharing)} before`);
  if (limit.until) parts.push(`until ${moment(Date.parse(limit.until), now)}`);
  return parts.join(", ");
}
