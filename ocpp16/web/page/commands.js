// Everything the console can do: a list and a form for each command, made of the table that the program sends.

import { el, find, say, words } from "./dom.js";
import { command } from "./link.js";

const CONFIRMED = {
  stop: "The charge point ends its transactions and its connection, and stays stopped until “Restart”.",
  power_off: "The program ends at once, as after a loss of power. It has to be started again by hand.",
  discard_dead_letters: "Given-up messages are deleted for good.",
  clear_charging_profiles: "Charging profiles are removed; without anything given, all of them.",
};
const MOST_ROWS_SHOWN = 200;

export class Commands {
  constructor() {
    this.table = new Map();
    this.connectors = 0;
    this.opener = null;
    find("open-commands").addEventListener("click", () => this.list());
    find("find-command").addEventListener("input", () => this.filter());
    for (const dialog of document.querySelectorAll("dialog")) {
      dialog.querySelector(".close")?.addEventListener("click", () => dialog.close());
      dialog.addEventListener("click", (event) => event.target === dialog && dialog.id !== "token" && dialog.close());
    }
  }

  take(table) {
    this.table = new Map(table.map((form) => [form.name, form]));
    const subjects = new Map();
    for (const form of table) subjects.set(form.subject, [...(subjects.get(form.subject) ?? []), form]);
    const groups = [...subjects].map(([subject, forms]) =>
      el(
        "section",
        { "aria-label": words(subject) },
        el("h3", {}, words(subject)),
        el(
          "ul",
          {},
          ...forms.map((form) =>
            el(
              "li",
              { "data-words": `${form.name} ${words(form.name)} ${form.text}`.toLowerCase() },
              el("button", { type: "button", onclick: () => this.open(form.name) }, el("b", {}, words(form.name)), el("span", {}, form.text)),
            ),
          ),
        ),
      ),
    );
    find("command-list").replaceChildren(...groups);
  }

  knows(name) {
    return this.table.has(name);
  }

  /** All commands; for a connector it is filled in already. */
  list(connector = null) {
    this.preset = connector;
    const dialog = find("commands");
    find("commands-title").textContent = connector === null ? "Commands" : `Commands for connector ${connector}`;
    find("find-command").value = "";
    this.filter();
    dialog.showModal();
    find("find-command").focus();
  }

  filter() {
    const wanted = find("find-command").value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const group of find("command-list").children) {
      let shown = 0;
      for (const item of group.querySelectorAll("li")) {
        const form = this.table.get(item.querySelector("b") && item.dataset.words.split(" ")[0]);
        const fits = this.preset === null || form?.fields.some((field) => field.type.includes("connector"));
        item.hidden = !fits || !wanted.every((word) => item.dataset.words.includes(word));
        shown += item.hidden ? 0 : 1;
      }
      group.hidden = shown === 0;
    }
  }

  /** Carries it out and says how it went. Returns the answer. */
  async run(name, given, label = words(name)) {
    const answer = await command(name, { arguments: given });
    say(outcome(label, answer), isGood(answer) ? "" : "bad");
    return answer;
  }

  /** Carries out one that needs no more than a click, or opens its form where something is to be confirmed. */
  press(name, given = {}) {
    this.preset = null; // what it is about is given here, not by the list of commands that was open last
    return CONFIRMED[name] ? this.open(name, given) : this.run(name, given);
  }

  open(name, given = {}) {
    const form = this.table.get(name);
    if (!form) return;
    const dialog = find("form");
    const preset = { ...(this.preset === null ? {} : { connector: this.preset, connectors: this.preset }), ...given };
    const fields = form.fields.map((field) => [field, this.field(field, preset[field.name])]);
    const first = fields.filter(([field], index) => field.is_required || form.fields.length <= 4 || index < 2 || field.name === "car");
    const others = fields.filter((one) => !first.includes(one));
    const result = el("div", { class: "result", role: "status", "aria-live": "polite" });
    const submit = el("button", { class: "strong" }, CONFIRMED[name] ? `${words(name)} now` : words(name));
    const node = el(
      "form",
      { method: "dialog" },
      el("div", { class: "head" }, el("h2", { id: "form-title" }, words(name)), el("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => dialog.close() }, "✕")),
      el("p", {}, `${form.text.charAt(0).toUpperCase()}${form.text.slice(1)}.`),
      CONFIRMED[name] ? el("p", { class: "warning" }, CONFIRMED[name]) : null,
      el("div", { class: "fields" }, ...first.map(([, made]) => made.row)),
      others.length ? el("details", {}, el("summary", {}, `More (${others.length})`), el("div", { class: "fields" }, ...others.map(([, made]) => made.row))) : null,
      el("div", { class: "buttons" }, submit, form.answers_later ? el("span", { class: "faint" }, "may take a while") : null),
      result,
    );
    node.addEventListener("submit", async (event) => {
      event.preventDefault();
      const typed = {};
      for (const [field, made] of fields) {
        const text = made.input.value;
        if (text !== "" && (field.is_required || text.trim() !== "")) typed[field.name] = text;
      }
      submit.disabled = true;
      result.replaceChildren(el("p", { class: "faint" }, "…"));
      const answer = await command(name, { words: typed });
      submit.disabled = false;
      result.replaceChildren(el("p", { class: isGood(answer) ? "good" : "bad" }, outcome(words(name), answer)));
      if (answer.ok && answer.result !== null && typeof answer.result === "object") result.append(rendered(answer.result));
    });
    dialog.replaceChildren(node);
    find("commands").close();
    if (!dialog.open) dialog.showModal();
    (node.querySelector(".fields input, .fields select, .fields textarea") ?? submit).focus();
  }

  field(field, preset) {
    const id = `field-${field.name}`;
    const usual = field.default === undefined || field.default.length === 0 ? "" : typeof field.default === "object" ? JSON.stringify(field.default) : String(field.default);
    const common = { id, name: field.name, required: field.is_required, autocomplete: "off", spellcheck: "false" };
    let input;
    if (field.type === "connector" || field.type === "connector or 0") {
      const lowest = field.type === "connector" ? 1 : 0;
      const numbers = Array.from({ length: this.connectors + 1 - lowest }, (_, index) => index + lowest);
      input = el(
        "select",
        common,
        field.is_required ? null : el("option", { value: "" }, "–"),
        ...numbers.map((number) => el("option", { value: String(number) }, number === 0 ? "0 (all)" : String(number))),
      );
    } else if (field.choices) {
      input = el(
        "select",
        common,
        field.is_required ? null : el("option", { value: "" }, usual === "" ? "–" : `${usual} (usual)`),
        ...field.choices.map((choice) => el("option", { value: choice }, choice)),
      );
    } else if (field.is_json && field.type !== "car") {
      input = el("textarea", { ...common, rows: "5", placeholder: field.is_required ? "{ … }" : "" });
    } else {
      const isNumber = field.limits && Math.abs(field.limits[0]) < 2 ** 53 && Math.abs(field.limits[1]) < 2 ** 53;
      const limits = isNumber ? { type: "number", step: "any", min: field.limits[0], max: field.limits[1] } : { type: "text" };
      const list = field.type === "car" ? { list: "car-names" } : {};
      input = el("input", { ...common, ...limits, ...list, placeholder: usual });
    }
    if (preset !== undefined) input.value = typeof preset === "object" ? JSON.stringify(preset) : String(preset);
    const hint = hintOf(field);
    if (hint) input.setAttribute("aria-describedby", `${id}-hint`);
    const row = el(
      "div",
      { class: "field" },
      el("label", { for: id }, words(field.name), field.is_required ? null : el("span", { class: "faint" }, " (optional)")),
      input,
      field.type === "car" ? el("datalist", { id: "car-names" }, ...[...find("car").options].map((option) => el("option", { value: option.value }))) : null,
      hint ? el("span", { id: `${id}-hint`, class: "faint hint" }, hint) : null,
    );
    return { row, input };
  }
}

function hintOf(field) {
  if (field.type.startsWith("list of")) return `${field.type}, separated by commas`;
  if (field.is_json) return field.type === "car" ? "the name of a kind of car, or JSON" : "JSON";
  if (["seconds", "amperes", "percent"].includes(field.type)) return field.type;
  return "";
}

const REFUSALS = new Set(["Rejected", "NotSupported", "Failed", "Offline"]);

function isGood(answer) {
  return answer.ok && answer.result !== false && !REFUSALS.has(answer.result);
}

/** How a command went, in a sentence. */
function outcome(label, answer) {
  if (!answer.ok) return `${label}: ${answer.error}`;
  const { result, reason } = answer;
  if (reason) return `${label}: ${result}, ${reason}`;
  if (result === null || (typeof result === "object" && result !== null)) return `${label}: done`;
  if (typeof result === "boolean") return `${label}: ${result ? "done" : "nothing to do"}`;
  return `${label}: ${result}`;
}

/** A result that is more than a word: a table of objects that are alike, or its members. */
export function rendered(result) {
  if (Array.isArray(result)) {
    if (!result.length) return el("p", { class: "faint" }, "none");
    if (result.every((row) => row !== null && typeof row === "object" && !Array.isArray(row))) return table(result);
    return el("ul", {}, ...result.slice(0, MOST_ROWS_SHOWN).map((value) => el("li", {}, cell(value))));
  }
  const lists = Object.entries(result).filter(([, value]) => Array.isArray(value));
  const plain = Object.entries(result).filter(([, value]) => !Array.isArray(value));
  return el(
    "div",
    {},
    plain.length ? el("dl", { class: "plain" }, ...plain.map(([name, value]) => el("div", {}, el("dt", {}, words(name)), el("dd", {}, cell(value))))) : null,
    ...lists.map(([name, value]) => el("div", {}, el("h3", {}, words(name)), rendered(value))),
  );
}

function table(rows) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const shown = rows.slice(0, MOST_ROWS_SHOWN);
  const left = rows.length - shown.length;
  return el(
    "div",
    { class: "wide", tabindex: "0", role: "region", "aria-label": "Result" },
    el(
      "table",
      {},
      el("thead", {}, el("tr", {}, ...names.map((name) => el("th", { scope: "col" }, words(name))))),
      el("tbody", {}, ...shown.map((row) => el("tr", {}, ...names.map((name) => el("td", {}, cell(row[name])))))),
    ),
    left > 0 ? el("p", { class: "faint" }, `and ${left} more`) : null,
  );
}

function cell(value) {
  if (value === null || value === undefined) return "–";
  return typeof value === "object" ? el("code", {}, JSON.stringify(value)) : String(value);
}
