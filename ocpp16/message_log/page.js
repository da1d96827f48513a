
"use strict";
addEventListener("DOMContentLoaded", () => {
  const element = (name) => document.getElementById(name);
  const rows = [...document.querySelectorAll("body > details")];
  const search = element("filter"), problems = element("problems"), bodies = element("bodies");
  const twins = new Map();

  // Requests and their answers, by who asked and the message id. A request that is repeated is joined by its last time.
  const asked = new Map();
  rows.forEach((row, number) => {
    row.id = "m" + (number + 1);
    const { kind, asker, id } = row.dataset;
    if (!asker) return;
    const key = asker + " " + id;
    if (kind === "CALL") {
      asked.set(key, row);
    } else if (asked.has(key)) {
      join(asked.get(key), row);
      asked.delete(key);
    }
  });
  for (const row of rows) {
    if (row.dataset.kind === "CALL" && !twins.has(row)) {
      row.classList.add("silent");
      corner(row).textContent = "no answer";
    }
  }

  function corner(row) {
    const summary = row.firstElementChild;
    return summary.querySelector("i") || summary.appendChild(document.createElement("i"));
  }

  function join(request, answer) {
    twins.set(request, answer);
    twins.set(answer, request);
    const latency = corner(answer).textContent;
    link(request, answer, latency + " ↓");
    link(answer, request, "↑ " + latency);
    if (answer.matches(".error, .refusal")) request.dataset.problem = "answer";
  }

  function link(from, to, text) {
    const a = document.createElement("a");
    a.href = "#" + to.id;
    a.textContent = text;
    a.addEventListener("click", (event) => {
      event.preventDefault();
      to.scrollIntoView({ block: "center" });
      to.open = from.open = true;
    });
    corner(from).replaceChildren(a);
    from.addEventListener("mouseenter", () => to.classList.add("twin"));
    from.addEventListener("mouseleave", () => to.classList.remove("twin"));
  }

  const texts = new Map();
  function holds(row, words) {
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    const text = texts.get(row);
    return words.every((word) => text.includes(word));
  }

  function isProblem(row) {
    return row.matches(".error, .refusal, .silent") || "problem" in row.dataset;
  }

  // A row is shown with its request or answer: one without the other says little.
  function apply() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const both = twins.has(row) ? [row, twins.get(row)] : [row];
      row.hidden = !both.some((one) => holds(one, words)) || (problems.checked && !both.some(isProblem));
      if (!row.hidden) count += 1;
    }
    element("count").textContent = count === rows.length ? `${count} rows` : `${count} of ${rows.length} rows`;
  }

  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, rows.length > 2000 ? 200 : 0);
  });
  problems.addEventListener("change", apply);
  bodies.addEventListener("change", () => {
    for (const row of rows) if (!row.matches(".sys")) row.open = bodies.checked;
  });

  // A filter in the address is a filter that can be handed on: page.html#filter=MeterValues&problems
  const wanted = new URLSearchParams(location.hash.slice(1));
  search.value = wanted.get("filter") || "";
  problems.checked = wanted.has("problems");
  document.forms[0].hidden = false;
  document.forms[0].addEventListener("submit", (event) => event.preventDefault());
  apply();
});
