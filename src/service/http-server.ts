import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { asMillraceError, MillraceError } from '../base/errors.ts'
import type { ListenAddress } from '../wiring/config/config.ts'
import { accessOf, requireSafeAddress } from './access.ts'
import { jsonReply, type Reply, type Route, routeFor, textReply } from './routes.ts'

/** What one client, or all together, may take. */
export const LIMITS = {
  connections: 64,
  headerBytes: 8 * 1024,
  /** A client that is slower with its headers, its request or with reading the answer is cut off. */
  headersMs: 5_000,
  requestMs: 10_000,
  silenceMs: 15_000,
  keepAliveMs: 5_000,
  requestsPerConnection: 10_000,
}

/** A server that answers. */
export interface HttpServer {
  /** Where it answers: `http://127.0.0.1:9464`. */
  readonly url: string
  /** Stops listening, lets answers that are under way finish for a moment, and cuts off the rest. */
  close(): Promise<void>
}

export interface HttpServerOptions {
  readonly address: ListenAddress
  readonly token: string | null
  readonly routes: readonly Route[]
  readonly limits?: typeof LIMITS
  /** Told what a route threw: the client learns the code of an own error, and nothing of another. */
  readonly onError: (error: unknown) => void
}

/** Listens. @throws INVALID_CONFIG for an open address without a token, LISTEN_FAILED where the port is taken */
export const listen = async (options: HttpServerOptions): Promise<HttpServer> => {
  const { address, token, limits = LIMITS } = options
  requireSafeAddress(address, token)
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => void answer(request, response, options),
  )
  server.maxConnections = limits.connections
  server.maxRequestsPerSocket = limits.requestsPerConnection
  server.setTimeout(limits.silenceMs)
  await bind(server, address)
  const { port } = server.address() as AddressInfo
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return { url: `http://${host}:${port}`, close: () => shut(server) }
}

const bind = (server: Server, { host, port }: ListenAddress): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenFailed(host, port, cause)))
    server.listen(port, host, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })

const listenFailed = (host: string, port: number, cause: NodeJS.ErrnoException): MillraceError => {
  const taken = cause.code === 'EADDRINUSE'
  const why = taken ? 'the port is in use' : cause.message
  return new MillraceError('LISTEN_FAILED', `the service can't listen on ${host}:${port}: ${why}`, {
    remedy: taken
      ? 'Stop what uses the port, or give this pipeline another with --listen.'
      : 'Give an address of this machine and a port that this user may open with --listen.',
    details: { host, port, reason: cause.code ?? '' },
    cause,
  })
}

const shut = (server: Server): Promise<void> =>
  new Promise(resolve => {
    server.close(() => resolve())
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), 500).unref()
  })

const answer = async (
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpServerOptions,
): Promise<void> => {
  // a client that goes away while it is answered is its own affair
  response.on('error', () => undefined)
  send(request, response, await replyTo(request, options))
}

const replyTo = async (request: IncomingMessage, { routes, token, onError }: HttpServerOptions): Promise<Reply> => {
  const { host, authorization } = request.headers
  const access = accessOf({ host, authorization }, token, sameSecret)
  if (access === 'foreignHost') return textReply(421, 'This service answers to loopback names only.')
  if (request.method !== 'GET' && request.method !== 'HEAD') return notAllowed
  if (hasBody(request)) return textReply(413, 'No request has a body here.')
  const target = `http://service${request.url ?? '/'}`
  const url = URL.canParse(target) ? new URL(target) : null
  const route = url === null ? null : routeFor(routes, url.pathname)
  if (access === 'noToken' && route?.open !== true) return unauthorized
  if (url === null || route === null) return textReply(404, 'There is nothing here.')
  const { pathname: path, searchParams: query } = url
  try {
    return await route.handle({ path, query, authorized: access === 'granted' })
  } catch (error) {
    onError(error)
    return broken(error)
  }
}

const broken = (thrown: unknown): Reply => {
  const error = asMillraceError(thrown)
  if (error.code === 'BUG') return jsonReply(500, { error: { code: error.code } })
  return jsonReply(500, { error: { code: error.code, message: error.message, remedy: error.remedy } })
}

const notAllowed: Reply = { ...textReply(405, 'Only GET and HEAD.'), headers: { allow: 'GET, HEAD' } }
const unauthorized: Reply = {
  ...textReply(401, 'A token is asked for.'),
  headers: { 'www-authenticate': 'Basic realm="millrace", charset="UTF-8"' },
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

const sameSecret = (given: string, expected: string): boolean => {
  return timingSafeEqual(digest(given), digest(expected))
}

const send = (request: IncomingMessage, response: ServerResponse, reply: Reply): void => {
  const body = Buffer.from(reply.body)
  response.writeHead(reply.status, {
    'content-type': reply.contentType,
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    ...(hasBody(request) ? { connection: 'close' } : {}),
    ...reply.headers,
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}
