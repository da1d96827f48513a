// What is wrong with the connection to the program, the question for the token, and the way to a section: on every page.

import { clock, el, find, set } from "./dom.js";
import { token } from "./link.js";

/** Said once, not at each attempt to come back. */
export function tell(kind, text, next, button = "") {
  const trouble = find("trouble");
  if (!trouble.hidden && trouble.dataset.kind === kind) return;
  trouble.dataset.kind = kind;
  trouble.replaceChildren(el("strong", {}, text), " ", el("span", {}, next), " ", button);
  trouble.hidden = false;
}

/** What `state` of a Stream says; `ending` is why the program ends, if it has said so. */
export function tellState(stream, name, details, ending) {
  document.body.dataset.link = name;
  const trouble = find("trouble");
  if (name === "open") {
    trouble.hidden = true;
    if (find("token").open) find("token").close();
    return;
  }
  if (name === "token") {
    askForToken(details.isWrong);
    trouble.hidden = true;
    return;
  }
  let text = "The program does not answer: it was ended, or the network is cut.";
  if (name === "lost" && stream.heard === null) text = "The program does not answer: it was ended, the network is cut, or this browser shows six pages of it already.";
  if (name === "full") text = `The program takes no more pages: ${details.text}.`;
  else if (name === "absent") text = `It cannot be shown: ${details.text}.`;
  else if (ending !== null) text = `The program has ended: ${ending}.`;
  const shown = stream.heard === null ? "" : `; what is shown is of ${clock(details.since)}`;
  const next = `It is tried again by itself${shown}.`;
  tell(name, text, next, el("button", { type: "button", onclick: () => stream.retry() }, "Try now"));
}

function askForToken(isWrong) {
  set(find("token-why"), isWrong ? "This is not the token of the program that runs now. Open the URL that it printed, or type the part behind the # here." : "Open the URL that the program printed, or type the part behind the # here.");
  if (!find("token").open) find("token").showModal();
  find("token-text").focus();
}

/** Called once. */
export function listen(stream) {
  find("token").addEventListener("cancel", (event) => event.preventDefault());
  find("token-form").addEventListener("submit", () => {
    token.set(find("token-text").value.trim().replace(/^.*#/, ""));
    find("token-text").value = "";
    stream.retry();
  });
  addEventListener("hashchange", () => {
    if (token.get()) stream.retry();
  });
  // Sections are come to without the address, whose # has the token.
  for (const link of document.querySelectorAll("nav a[href^='#']")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const section = find(link.getAttribute("href").slice(1));
      section.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth", block: "start" });
      section.querySelector("h2").focus({ preventScroll: true });
    });
  }
}
