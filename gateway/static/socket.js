// One speech over the WebSocket /ws/tts: a request out, int16 samples in, a closing message. Closing it is the cancel.

import { keyProtocols } from "./key.js";

const NORMAL_CLOSURE = 1000;
const NO_CONNECTION = "This server cannot be reached.";

export class SpeechSocket {
  #socket;
  #over = false;

  /** Calls `listener`'s onSamples(Int16Array), and at the end, once, onDone(message) or onFailed(sentence). */
  constructor(request, listener) {
    this.#socket = new WebSocket(address(), keyProtocols());
    this.#socket.binaryType = "arraybuffer";
    let opened = false;
    this.#socket.onopen = () => {
      opened = true;
      this.#socket.send(requestText(request));
    };
    this.#socket.onmessage = ({ data }) => this.#hear(data, listener);
    this.#socket.onclose = ({ code }) => {
      const cut = `The connection ended before the speech did (close code ${code}).`;
      this.#finish(() => listener.onFailed(opened ? cut : NO_CONNECTION));
    };
  }

  /** Hangs up; the listener is told nothing more. */
  close() {
    this.#finish(() => {});
  }

  #hear(data, listener) {
    if (this.#over) return;
    // Samples are little-endian, as is every machine that runs a browser.
    if (typeof data !== "string") return listener.onSamples(new Int16Array(data));
    const message = parsed(data);
    this.#finish(() => (message.done ? listener.onDone(message) : listener.onFailed(message.error)));
  }

  #finish(tell) {
    if (this.#over) return;
    this.#over = true;
    this.#socket.close(NORMAL_CLOSURE);
    tell();
  }
}

function address() {
  const url = new URL("../ws/tts", import.meta.url);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

/** JSON with the seed's own digits: a seed has 64 bits and a JavaScript number 53. */
function requestText({ seed, ...fields }) {
  const text = JSON.stringify(fields);
  if (!seed) return text;
  const value = /^\d+$/.test(seed) ? BigInt(seed).toString() : JSON.stringify(seed);
  return `${text.slice(0, -1)},"seed":${value}}`;
}

/** The message with its seed as a string of digits. */
function parsed(text) {
  return JSON.parse(text.replace(/"seed":\s*(\d+)/, '"seed":"$1"'));
}
