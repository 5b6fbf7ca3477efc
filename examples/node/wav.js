// A WAV file of s16le PCM, mono, that grows; its header is put right at the end.

import { open } from "node:fs/promises";

const HEADER_BYTES = 44;

export class WavFile {
  #file;
  #sampleRateHz;
  dataBytes = 0;

  /** Begins a file at `path`. */
  static async create(path, sampleRateHz) {
    const wav = new WavFile();
    wav.#file = await open(path, "w");
    wav.#sampleRateHz = sampleRateHz;
    await wav.#file.write(wav.#header(), 0, HEADER_BYTES, 0);
    return wav;
  }

  /** Adds samples as bytes. */
  async write(pcm) {
    await this.#file.write(pcm, 0, pcm.length, HEADER_BYTES + this.dataBytes);
    this.dataBytes += pcm.length;
  }

  /** Writes the header again, with the length. */
  async close() {
    await this.#file.write(this.#header(), 0, HEADER_BYTES, 0);
    await this.#file.close();
  }

  #header() {
    const header = Buffer.alloc(HEADER_BYTES);
    header.write("RIFF", 0);
    header.writeUInt32LE(HEADER_BYTES - 8 + this.dataBytes, 4);
    header.write("WAVEfmt ", 8);
    header.writeUInt32LE(16, 16);
    header.writeUInt16LE(1, 20); // PCM
    header.writeUInt16LE(1, 22); // mono
    header.writeUInt32LE(this.#sampleRateHz, 24);
    header.writeUInt32LE(2 * this.#sampleRateHz, 28);
    header.writeUInt16LE(2, 32);
    header.writeUInt16LE(16, 34);
    header.write("data", 36);
    header.writeUInt32LE(this.dataBytes, 40);
    return header;
  }
}
