// Speaks a text into a WAV file, written while the speech is being made.
//
//   node say.js "नमस्ते, आप कैसे हैं?" hello.wav [--address 127.0.0.1:50051] [--voice asha] [--seed 7]

import { parseArgs } from "node:util";

import { connect } from "./speech.js";
import { WavFile } from "./wav.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    address: { type: "string", default: "127.0.0.1:50051" },
    voice: { type: "string", default: "" },
    seed: { type: "string" },
  },
});
const [text, path = "speech.wav"] = positionals;
const client = connect(values.address);
const call = client.synthesize({ text, speaker: { voice: values.voice, seed: values.seed } });
// Ctrl-C hangs up, and that frees the server at once.
process.once("SIGINT", () => call.cancel());

try {
  console.log(JSON.stringify(await write(call, path)));
} catch (error) {
  console.error(`say: ${error.details ?? error.message}`);
  process.exitCode = 1;
} finally {
  client.close();
}

/** Writes every chunk as it comes; returns what was spoken. */
async function write(call, path) {
  const began = performance.now();
  let file, started, firstSeconds;
  try {
    for await (const message of call) {
      if (message.event === "started") {
        started = message.started;
        file = await WavFile.create(path, started.sampleRateHz);
      } else if (message.event === "chunk") {
        firstSeconds ??= (performance.now() - began) / 1000;
        await file.write(message.chunk.pcm);
      }
    }
  } finally {
    await file?.close();
  }
  const audioSeconds = file.dataBytes / 2 / started.sampleRateHz;
  return { path, voice: started.voice, seed: started.seed, audioSeconds, firstChunkSeconds: firstSeconds };
}
