// Small things that every part of the page needs: elements, texts of numbers and times, and saying something aloud.

export const find = (id) => document.getElementById(id);

/** el("button", {type: "button", class: "strong", onclick: run}, "Run"); null and false leave an attribute out. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "value") made.value = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const hidden = (text) => el("span", { class: "hidden" }, text);

/** Sets a text only where it is another one, so that nothing is laid out, or read out, anew for nothing. */
export function set(node, text) {
  const wanted = String(text);
  if (node.textContent !== wanted) node.textContent = wanted;
}

export function setClass(node, name) {
  if (node.className !== name) node.className = name;
}

export function setHidden(node, isHidden) {
  if (node.hidden !== isHidden) node.hidden = isHidden;
}

const STOPS = "button, summary, [tabindex]";

/** Other children for a node; who has the keyboard on one of them keeps it at the same place. */
export function refill(node, ...children) {
  const place = [...node.querySelectorAll(STOPS)].indexOf(document.activeElement);
  node.replaceChildren(...children);
  if (place >= 0) (node.querySelectorAll(STOPS)[place] ?? node.querySelector(STOPS))?.focus({ preventScroll: true });
}

/** Words of a name that the machine uses: plug_in → Plug in. */
export function words(name) {
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const two = (number) => String(number).padStart(2, "0");

/** Time of day here, of ms since 1970. */
export function clock(ms) {
  const date = new Date(ms);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Only its milliseconds, for who wants them too. */
export const milliseconds = (ms) => `.${String(new Date(ms).getMilliseconds()).padStart(3, "0")}`;

/** Hours and minutes here; with the day of the week where a span is longer than two days. */
export function shortTime(ms, span = 0) {
  const date = new Date(ms);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return span > 2 * 86400 ? `${date.toLocaleDateString([], { weekday: "short" })} ${time}` : time;
}

/** A moment as it is told at `now`, both in ms: hours and minutes, with the day where that is another one. */
export function moment(ms, now) {
  const date = new Date(ms);
  const isToday = date.toDateString() === new Date(now).toDateString();
  const isNear = Math.abs(ms - now) < 300 * 86_400_000;
  const day = { day: "numeric", month: "short", ...(isNear ? {} : { year: "numeric" }) };
  return isToday ? shortTime(ms) : `${date.toLocaleDateString([], day)}, ${shortTime(ms)}`;
}

export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} min`;
}

export function took(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 0.0095) return `${(seconds * 1000).toFixed(1)} ms`;
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}

export const power = (watts) => (watts === null ? "–" : Math.abs(watts) < 1000 ? `${Math.round(watts)} W` : `${(watts / 1000).toFixed(2)} kW`);
export const energy = (wattHours) => (wattHours < 1000 ? `${Math.round(wattHours)} Wh` : `${(wattHours / 1000).toFixed(2)} kWh`);
export const amount = (number) => String(Math.round(number * 100) / 100);

/** Says a sentence to who cannot see it, and shows it for a while to who can. */
export function say(text, kind = "") {
  find("said").textContent = text;
  const toast = el("div", { class: `toast ${kind}` }, text);
  const toasts = find("toasts");
  toasts.append(toast);
  while (toasts.children.length > 3) toasts.firstElementChild.remove();
  setTimeout(() => toast.remove(), kind === "bad" ? 9000 : 4000);
}

/** The clipboard, also where the page did not come by a way that browsers call secure. */
export async function copy(text, what) {
  try {
    if (navigator.clipboard && isSecureContext) {
      await navigator.clipboard.writeText(text);
    } else {
      const area = el("textarea", { class: "hidden", "aria-hidden": "true", value: text });
      const before = document.activeElement;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      before?.focus();
      if (!done) throw new Error("not allowed");
    }
    say(`${what} copied`);
  } catch (error) {
    say(`${what} could not be copied: ${error.message}`, "bad");
  }
}

/** Something in this browser that is remembered, where it may be. */
export const remembered = {
  get(name, otherwise) {
    try {
      return localStorage.getItem(`ocpp16.${name}`) ?? otherwise;
    } catch {
      return otherwise;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(`ocpp16.${name}`, value);
    } catch {
      // then it is not remembered
    }
  },
};
