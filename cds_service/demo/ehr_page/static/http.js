// Calls over HTTP that always come back as a value: what was answered, or why nothing was.

export async function send(method, url, { body, token, accept = "application/json", signal } = {}) {
  const headers = { Accept: accept };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  const started = performance.now();
  let status = 0;
  let answer = null;
  try {
    const response = await fetch(url, {
      method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body),
    });
    status = response.status;
    answer = await response.json();
  } catch (fault) {
    // status 0: no answer at all; otherwise the answer was no JSON.
    if (status === 0 && fault.name !== "AbortError" && fault.name !== "TypeError") throw fault;
  }
  return { status, body: answer, milliseconds: Math.round(performance.now() - started) };
}

export function isOk(reply) {
  return reply.status >= 200 && reply.status < 300 && reply.body !== null;
}
