// The voices that this server has, by model.

const VOICES = new URL("../v1/audio/voices", import.meta.url);
const NO_CONNECTION = "This server cannot be reached.";

/** Every voice as { model, name, language, description }; throws an Error with the server's sentence. */
export async function fetchVoices() {
  const response = await fetch(VOICES).catch(() => {
    throw new Error(NO_CONNECTION);
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error.message);
  return answer.voices;
}
