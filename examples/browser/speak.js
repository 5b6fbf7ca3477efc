const SAMPLE_RATE_HZ = 24_000;
// Held back before the first sound, so that an uneven arrival makes no gap.
const HEAD_START_SECONDS = 0.2;

const form = document.querySelector("form");
const output = document.querySelector("output");

form.onsubmit = (event) => {
  event.preventDefault();
  speak(form.elements.server.value, form.elements.text.value);
};

function speak(server, text) {
  const context = new AudioContext({ sampleRate: SAMPLE_RATE_HZ });
  const socket = new WebSocket(`ws://${server}/ws/tts`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => socket.send(JSON.stringify({ text }));
  let nextSeconds = 0;
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") return finish(JSON.parse(data), socket);
    nextSeconds = Math.max(nextSeconds, context.currentTime + (nextSeconds ? 0 : HEAD_START_SECONDS));
    nextSeconds += play(context, new Int16Array(data), nextSeconds);
  };
}

/** Plays int16 samples at that time of the audio clock; returns how long they sound. */
function play(context, samples, atSeconds) {
  const buffer = context.createBuffer(1, samples.length, SAMPLE_RATE_HZ);
  buffer.copyToChannel(Float32Array.from(samples, (sample) => sample / 32768), 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(context.destination);
  source.start(atSeconds);
  return buffer.duration;
}

function finish(message, socket) {
  socket.close();
  output.value = message.done ? `${message.duration_s} s of speech, seed ${message.seed}` : message.error;
}
