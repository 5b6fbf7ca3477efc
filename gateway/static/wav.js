// WAV files of s16le PCM, mono.

const HEADER_BYTES = 44;

/** A WAV file of int16 chunks, as a Blob. */
export function wavFile(chunks, sampleRateHz) {
  const dataBytes = chunks.reduce((bytes, chunk) => bytes + chunk.byteLength, 0);
  return new Blob([header(sampleRateHz, dataBytes), ...chunks], { type: "audio/wav" });
}

function header(sampleRateHz, dataBytes) {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  const letters = (at, text) => [...text].forEach((letter, k) => view.setUint8(at + k, letter.charCodeAt(0)));
  letters(0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + dataBytes, true);
  letters(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // mono
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, 2 * sampleRateHz, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  letters(36, "data");
  view.setUint32(40, dataBytes, true);
  return view;
}
