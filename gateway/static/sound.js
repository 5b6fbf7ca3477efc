// The browser's sound: one audio context for the page, and one voice in it for every speech.

export const SAMPLE_RATE_HZ = 24_000;
const WORKLET = new URL("./worklet.js", import.meta.url);
const NO_WORKLET = "This browser plays live sound only on pages from https:// or from localhost.";
// Speeches side by side are set apart in the stereo image, up to this far from its middle.
const WIDEST_PAN = 0.8;

let opening;

/** The page's audio context, running; opened by the first key or click that asks for sound. */
export async function openSound() {
  opening ??= open().catch((error) => {
    opening = undefined;
    throw error;
  });
  const context = await opening;
  await context.resume();
  return context;
}

async function open() {
  if (!window.isSecureContext || !window.AudioWorkletNode) throw new Error(NO_WORKLET);
  const context = new AudioContext({ sampleRate: SAMPLE_RATE_HZ, latencyHint: "interactive" });
  await context.audioWorklet.addModule(WORKLET);
  return context;
}

/** Plays one speech: `feed` it, then `end` or `cancel`; `onReport` is told what the audio thread reports. */
export class Voice {
  #context;
  #node;
  #cancelledSeconds;

  /** `place` is the speech's index among `places` that speak together. */
  constructor(context, place, places, onReport) {
    this.#context = context;
    this.#node = new AudioWorkletNode(context, "speech", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#node.port.onmessage = ({ data }) => onReport(data);
    const gain = new GainNode(context, { gain: 1 / Math.sqrt(places) });
    const pan = new StereoPannerNode(context, { pan: places > 1 ? WIDEST_PAN * ((2 * place) / (places - 1) - 1) : 0 });
    this.#node.connect(gain).connect(pan).connect(context.destination);
  }

  /** Hands a copy of int16 samples to the audio thread. */
  feed(samples) {
    const copy = samples.slice();
    this.#node.port.postMessage({ samples: copy }, [copy.buffer]);
  }

  end() {
    this.#node.port.postMessage({ end: true });
  }

  /** Falls silent at once. */
  cancel() {
    this.#cancelledSeconds ??= this.#context.currentTime;
    this.#node.port.postMessage({ cancel: true });
  }

  /** Leaves the audio graph; nothing is heard of it any more. */
  close() {
    this.#node.disconnect();
  }

  /** Seconds from `cancel` until the ear hears nothing, given when the last sample left the worklet. */
  silenceSeconds(atSeconds) {
    return Math.max(0, atSeconds - this.#cancelledSeconds) + this.latencySeconds;
  }

  /** Seconds of sound between the worklet and the loudspeaker. */
  get latencySeconds() {
    return this.#context.baseLatency + (this.#context.outputLatency || 0);
  }

  /** The clock of the reports' `atSeconds`. */
  get nowSeconds() {
    return this.#context.currentTime;
  }
}
