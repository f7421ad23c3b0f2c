import type { FastifyRequest } from 'fastify';
import { API, type App } from '../app.js';
import { refused } from '../response/problem.js';

/** Takes JSON and nothing else; no body at all is none, whatever its announced type. */
export function readBodies(app: App): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parseJson(request, body.toString(), done);
  });
  app.addHook('preValidation', async (request) => refuseBody(request));
}

/** A body where none is asked for is somebody's wish that would go unheard. */
function refuseBody({ body, method, routeOptions: { url = '', schema } }: FastifyRequest): void {
  if (!url.startsWith(API) || schema?.body !== undefined || body === undefined) return;
  if (typeof body === 'object' && body !== null && !Array.isArray(body) && Object.keys(body).length === 0) return;
  throw refused('invalid_request', `${method} ${url} takes no body, so nothing in it would be heard; send none`);
}
