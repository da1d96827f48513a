// Single keys, for who works with the keyboard. They can be switched off, and never act while something is typed.

import { el, find, remembered } from "./dom.js";

export class Keys {
  constructor({ commands, connectors, traffic }) {
    this.table = [
      ["?", "this list", () => this.show()],
      ["c", "all commands", () => commands.list()],
      ["/", "filter the traffic", () => find("filter").focus()],
      ["p", "hold the traffic, or let it go on", () => traffic.hold()],
      ["e", "the newest message", () => this.newest()],
      ["1 … 9", "buttons of connector 1 … 9", null],
    ];
    this.others = [
      ["↑ ↓", "from message to message, on a message"],
      ["↑ ↓ ← →", "from connector to connector, where each is a square"],
      ["Enter", "open a message, or close it"],
      ["Esc", "close what is open; empty the filter, and leave it"],
    ];
    this.connectors = connectors;
    const box = find("keys-on");
    box.checked = remembered.get("keys", "true") === "true";
    box.addEventListener("change", () => remembered.set("keys", box.checked));
    find("open-keys").addEventListener("click", () => this.show());
    find("key-list").replaceChildren(...[...this.table, ...this.others].map(([key, text]) => el("tr", {}, el("th", { scope: "row" }, el("kbd", {}, key)), el("td", {}, text))));
    addEventListener("keydown", (event) => this.press(event));
  }

  show() {
    find("keys").showModal();
  }

  newest() {
    const openers = document.querySelectorAll("#messages .opener");
    openers[openers.length - 1]?.focus();
  }

  press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || !find("keys-on").checked) return;
    if (event.target.closest("input, textarea, select") || document.querySelector("dialog[open]")) return;
    const row = this.table.find(([key, , act]) => act && key === event.key);
    if (row) {
      event.preventDefault();
      row[2]();
    } else if (/^[1-9]$/.test(event.key)) {
      event.preventDefault();
      this.connectors.focus(Number(event.key));
    }
  }
}
