// The voices that this server has, by model.

import { keyHeaders } from "./key.js";

const VOICES = new URL("../v1/audio/voices", import.meta.url);
const NO_CONNECTION = "This server cannot be reached.";

const UNAUTHENTICATED = 401;

/** The server asks for an API key, or for another one. */
export class KeyWanted extends Error {}

/** Every voice as { model, name, language, description }; throws an Error with the server's sentence, or KeyWanted. */
export async function fetchVoices() {
  const response = await fetch(VOICES, { headers: keyHeaders() }).catch(() => {
    throw new Error(NO_CONNECTION);
  });
  const answer = await response.json();
  if (response.status === UNAUTHENTICATED) throw new KeyWanted(answer.error.message);
  if (!response.ok) throw new Error(answer.error.message);
  return answer.voices;
}
