// The EHR's side of CDS Hooks 2.0: discovery, prefetch, the call, feedback.

import { isOk, send } from "./http.js";

const TOKEN = /\{\{\s*([A-Za-z0-9_.]+)\s*\}\}/g;

export async function discover(serviceId) {
  const reply = await send("GET", "/cds-services");
  const services = isOk(reply) && Array.isArray(reply.body.services) ? reply.body.services : [];
  return { reply, service: services.find((service) => service.id === serviceId) };
}

// The query of a template, or null where this hook's context cannot fill it.
export function fill(template, context) {
  const [userType, userId] = context.userId.split("/");
  const values = { [`user${userType}Id`]: userId };
  for (const [name, value] of Object.entries(context)) values[`context.${name}`] = value;
  let complete = true;
  const query = template.replace(TOKEN, (_, name) => {
    complete = complete && name in values;
    return encodeURIComponent(values[name] ?? "");
  });
  return complete ? query : null;
}

// Every template filled at once. A query that fails is sent as its OperationOutcome or left out; after the
// given time the rest is left out, since nobody waits for a prefetch for long.
export async function prefetch(templates, context, { base, token, leaveOut = [], milliseconds }) {
  const filled = {};
  const patience = AbortSignal.timeout(milliseconds);
  const wanted = Object.entries(templates).filter(([key]) => !leaveOut.includes(key));
  await Promise.all(wanted.map(async ([key, template]) => {
    const query = fill(template, context);
    if (query === null) return;
    const accept = "application/fhir+json";
    const reply = await send("GET", `${base}/${query}`, { token, accept, signal: patience }).catch(() => null);
    const type = reply?.body?.resourceType;
    if (type && (reply.status === 200 || type === "OperationOutcome")) filled[key] = reply.body;
  }));
  const inOrder = Object.keys(templates).filter((key) => key in filled).map((key) => [key, filled[key]]);
  return Object.fromEntries(inOrder);
}

export function request(service, context, { fhirServer, access, filled }) {
  const body = { hook: service.hook, hookInstance: crypto.randomUUID(), context };
  if (fhirServer) body.fhirServer = fhirServer;
  if (fhirServer && access) {
    body.fhirAuthorization = {
      access_token: access.access_token,
      token_type: access.token_type,
      expires_in: access.expires_in,
      scope: access.scope,
      subject: "relapse-cds-demo",
      patient: access.patient,
    };
  }
  if (filled && Object.keys(filled).length > 0) body.prefetch = filled;
  return body;
}

export function call(service, body) {
  return send("POST", `/cds-services/${encodeURIComponent(service.id)}`, { body });
}

export async function giveFeedback(service, item) {
  const body = { feedback: [item] };
  const reply = await send("POST", `/cds-services/${encodeURIComponent(service.id)}/feedback`, { body });
  return { body, reply };
}
