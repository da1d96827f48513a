// The way to the program: requests with the token, and the stream of what happens, which comes back by itself.

const SILENCE = 12_000; // ms without a word, after which a stream counts as broken; the program says something every 5 s
const WAITS = [500, 1000, 2000, 3000, 5000]; // ms before each attempt to come back; the last one for good
const CROWDED = 3000; // ms without an answer, after which pages that nobody sees are asked to make room
const ALONE = { cache: "no-store", credentials: "omit", redirect: "error" };
const LONGEST_EVENT = 64 * 1024 * 1024;

const ONCE = "once:"; // before a code behind the #, which is changed for the token

const behind = () => decoded(location.hash.slice(1));

/** The token stands behind the # of the address, which browsers send to nobody. */
export const token = {
  get() {
    const text = behind();
    if (text.length >= 16 && !text.startsWith(ONCE)) {
      this.keep(text);
      return text;
    }
    try {
      return sessionStorage.getItem("ocpp16.token") ?? "";
    } catch {
      return "";
    }
  },
  keep(text) {
    try {
      sessionStorage.setItem("ocpp16.token", text);
    } catch {
      // then it stands in the address alone
    }
  },
  set(text) {
    history.replaceState(null, "", `#${encodeURIComponent(text)}`);
    this.keep(text);
  },
};

/** What somebody typed into the address may be no encoding. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export class Refused extends Error {
  constructor(status, text) {
    super(text || `the program answered ${status}`);
    this.status = status;
  }
}

/** The one of a fleet that this page is of; null where the program has only one, or the page is of all. */
export const ofOne = new URLSearchParams(location.search).get("charge_point");

let exchanged = null;

/** A browser that the program opened has a code, for others can read what it was started with. */
function exchange() {
  const text = behind();
  if (!text.startsWith(ONCE)) return null;
  exchanged ??= change(text.slice(ONCE.length)).finally(() => (exchanged = null));
  return exchanged;
}

async function change(code) {
  const answer = await fetch("api/token", { ...ALONE, method: "POST", headers: { Authorization: `Bearer ${code}` } });
  const text = await answer.text();
  if (answer.ok) token.set(text);
  else if (answer.status === 401) history.replaceState(null, "", "#");
  else throw new Refused(answer.status, text.trim());
}

// A browser has six connections to a program, for all pages of it together, and each page's stream takes one.
const otherPages = new BroadcastChannel("ocpp16");

let cut = new AbortController(); // of what is asked beside the stream, which would wait as long as TCP does

async function ask(path, options = {}) {
  if (ofOne !== null) path += `${path.includes("?") ? "&" : "?"}charge_point=${encodeURIComponent(ofOne)}`;
  await exchange();
  const headers = { Authorization: `Bearer ${token.get()}`, ...options.headers };
  const crowded = setTimeout(() => otherPages.postMessage("room"), CROWDED);
  const answer = await fetch(path, { signal: cut.signal, ...options, ...ALONE, headers }).finally(() => clearTimeout(crowded));
  if (!answer.ok) throw new Refused(answer.status, (await answer.text()).trim());
  return answer;
}

export async function getJson(path) {
  return (await ask(path)).json();
}

export async function getBlob(path) {
  return (await ask(path)).blob();
}

/** Carries out a command; returns its answer, also when that is no: {ok, result | error, reason}. */
export async function command(name, given) {
  try {
    const answer = await ask("api/command", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ do: name, ...given }),
    });
    return await answer.json();
  } catch (error) {
    return { ok: false, error: error instanceof Refused ? error.message : "the program does not answer; it may have been done all the same" };
  }
}

const RESTED = new Error("the page made room for another one");

/**
 * Follows the stream for as long as the page is there. `on` has a function for each event (hello, parts, rows, missed),
 * and state(name, details): "open", "lost" with {since}, "token", "full", "absent".
 */
export class Stream {
  constructor(on) {
    this.on = on;
    this.instance = "";
    this.after = 0;
    this.since = null;
    this.heard = null; // when, the last time
    this.attempts = 0;
    this.wake = null;
    this.following = null;
    this.rests = false; // nobody sees the page, and another one needed its connection
    addEventListener("online", () => this.retry());
    otherPages.addEventListener("message", () => this.makeRoom());
    document.addEventListener("visibilitychange", () => this.goOn());
  }

  makeRoom() {
    if (!document.hidden || this.following === null) return;
    this.rests = true;
    this.following.abort(RESTED);
  }

  goOn() {
    if (document.hidden || !this.rests) return;
    this.rests = false;
    this.retry();
  }

  /** Try now, if it is waiting. */
  retry() {
    this.wake?.();
  }

  async run() {
    for (;;) {
      try {
        await this.follow();
        throw new Error("the program ended the stream");
      } catch (error) {
        while (this.rests) await this.wait(null);
        if (error === RESTED) continue;
        if (error instanceof Refused && error.status === 401) {
          this.on.state("token", { isWrong: Boolean(token.get()) });
          await this.wait(null);
          continue;
        }
        cut.abort();
        cut = new AbortController();
        this.since ??= this.heard ?? Date.now();
        const wait = WAITS[Math.min(this.attempts, WAITS.length - 1)];
        this.attempts += 1;
        const state = (error instanceof Refused && { 404: "absent", 503: "full" }[error.status]) || "lost";
        this.on.state(state, { since: this.since, text: error.message });
        await this.wait(wait);
      }
    }
  }

  wait(ms) {
    return new Promise((resolve) => {
      const timer = ms === null ? null : setTimeout(() => this.wake?.(), ms);
      this.wake = () => {
        clearTimeout(timer);
        this.wake = null;
        resolve();
      };
    });
  }

  async follow() {
    const control = (this.following = new AbortController());
    let timer = setTimeout(() => control.abort(), SILENCE);
    try {
      const answer = await ask(`api/stream?instance=${this.instance}&after=${this.after}`, { signal: control.signal });
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let kept = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        this.heard = Date.now();
        clearTimeout(timer);
        timer = setTimeout(() => control.abort(), SILENCE);
        const blocks = (kept + value).split("\n\n");
        kept = blocks.pop();
        if (kept.length > LONGEST_EVENT) throw new Error("an event has no end");
        for (const block of blocks) this.take(block);
      }
    } catch (error) {
      throw control.signal.reason === RESTED ? RESTED : error;
    } finally {
      clearTimeout(timer);
      control.abort();
      this.following = null;
    }
  }

  take(block) {
    if (!block.startsWith("event: ")) return;
    const end = block.indexOf("\n");
    const name = block.slice(7, end);
    const value = JSON.parse(block.slice(end + 7));
    if (name === "hello") {
      const before = this.instance;
      const isNew = value.instance !== before;
      if (isNew) this.after = 0;
      this.instance = value.instance;
      const lost = this.since === null ? null : Date.now() - this.since;
      this.since = null;
      this.attempts = 0;
      this.on.hello(value, { isFirst: before === "", isNew, lost });
      this.on.state("open", {});
    } else if (name === "rows") {
      this.after = value.at(-1).n;
      this.on.rows(value);
    } else {
      this.on[name]?.(value);
    }
  }
}
