// The API key, where this server asks for one: in the memory of this page, and gone with it.

let key = "";

/** Keeps what the visitor typed. */
export function keepKey(typed) {
  key = typed.trim();
}

/** The headers of a request. */
export function keyHeaders() {
  return key ? { authorization: `Bearer ${key}` } : {};
}

/** The subprotocols of a WebSocket, for which browsers set no headers. */
export function keyProtocols() {
  return key ? ["swara", `swara.key.${key}`] : [];
}
