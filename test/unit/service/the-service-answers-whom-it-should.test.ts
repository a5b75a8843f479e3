import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { requireSafeAddress } from '../../../src/service/access.ts'
import { type HttpServer, LIMITS, listen } from '../../../src/service/http-server.ts'
import { type Route, routeFor, textReply } from '../../../src/service/routes.ts'

const TOKEN = 'correct-horse-battery'
const LOOPBACK = { host: '127.0.0.1', port: 0 }

const route = (path: string, open = false): Route => ({
  path,
  open,
  handle: ({ query, authorized }) => textReply(200, `${path} ${authorized} ${query.get('q') ?? ''}`),
})
const routes: readonly Route[] = [
  route('/'),
  route('/healthz', true),
  route('/views/'),
  {
    path: '/broken',
    open: false,
    handle: () => {
      throw new TypeError('secret detail at /somewhere')
    },
  },
]

const limits = { ...LIMITS, headersMs: 300, connections: 8 }
const thrown: unknown[] = []
const onError = (error: unknown): void => void thrown.push(error)

let server: HttpServer | null = null
afterEach(async () => {
  await server?.close()
  server = null
})

const serve = async (token: string | null = null): Promise<string> => {
  server = await listen({ address: LOOPBACK, token, routes, limits, onError })
  return server.url
}

const get = async (url: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(url, { headers })
  return { status: answer.status, headers: answer.headers, body: await answer.text() }
}

/** Asks under another name than the one that is connected to, as a rebound site would. */
const statusForHost = (url: string, host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const request = httpRequest(url, { headers: { host } }, answer => resolve(answer.resume().statusCode))
    request.once('error', reject).end()
  })

const open = async (url: string): Promise<Socket> => {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

const rawAnswer = async (url: string, text: string): Promise<string> => {
  const socket = await open(url)
  let received = ''
  socket.setEncoding('utf8').on('data', chunk => (received += chunk))
  socket.write(text)
  await once(socket, 'close')
  return received.split('\r\n')[0] ?? ''
}

describe('access', () => {
  it('an address that others reach needs a token', () => {
    for (const host of ['0.0.0.0', '::', '10.1.2.3', 'example.org', '127.0.0.1.example.org'])
      expect(() => requireSafeAddress({ host, port: 1 }, null)).toThrow(/answer anybody/)
    for (const host of ['127.0.0.1', '127.8.8.8', '::1', 'localhost']) requireSafeAddress({ host, port: 1 }, null)
    requireSafeAddress({ host: '0.0.0.0', port: 1 }, TOKEN)
  })

  it('without a token only loopback names are answered', async () => {
    const url = await serve()
    expect((await get(url)).status).toBe(200)
    expect(await statusForHost(url, 'localhost:1')).toBe(200)
    expect(await statusForHost(url, '[::1]:1')).toBe(200)
    expect(await statusForHost(url, 'evil.example')).toBe(421)
    expect(await statusForHost(url, 'localhost.evil.example')).toBe(421)
  })

  it('with a token only who brings it is answered, other than on open routes', async () => {
    const url = await serve(TOKEN)
    const basic = (secret: string) => `Basic ${Buffer.from(`anyone:${secret}`).toString('base64')}`
    expect((await get(url, { authorization: `Bearer ${TOKEN}` })).body).toContain('true')
    expect((await get(url, { authorization: basic(TOKEN) })).status).toBe(200)
    const wrong = [
      '',
      'Bearer',
      `Bearer ${TOKEN}x`,
      `Token ${TOKEN}`,
      basic('x'),
      'Basic %%%',
      `Bearer ${TOKEN.slice(1)}`,
    ]
    for (const authorization of wrong) {
      const answer = await get(url, { authorization })
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toContain('Basic')
    }
    expect((await get(`${url}/nowhere`)).status).toBe(401)
    expect(await get(`${url}/healthz`)).toMatchObject({ status: 200, body: '/healthz false \n' })
  })
})

describe('requests', () => {
  it('find the longest route', () => {
    const path = (asked: string) => routeFor([...routes, route('/views/special/')], asked)?.path ?? null
    expect(path('/')).toBe('/')
    expect(path('/views/plays')).toBe('/views/')
    expect(path('/views/special/x')).toBe('/views/special/')
    expect(path('/viewsx')).toBeNull()
    expect(path('/healthz/')).toBeNull()
  })

  it('only read: another method is 405, a body 413, an unknown path 404', async () => {
    const url = await serve()
    const status = async (init: RequestInit) => (await fetch(url, init)).status
    expect(await status({ method: 'POST' })).toBe(405)
    expect(await status({ method: 'DELETE' })).toBe(405)
    expect(await rawAnswer(url, 'GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nhello')).toContain('413')
    expect((await get(`${url}/nowhere`)).status).toBe(404)
    const head = await fetch(url, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  it('that break a route are answered with the code alone; the service is told the rest', async () => {
    const { status, body } = await get(`${await serve()}/broken`)
    expect([status, JSON.parse(body)]).toEqual([500, { error: { code: 'BUG' } }])
    expect(String(thrown.at(-1))).toContain('secret detail')
  })

  it('with headers beyond the limit are refused', async () => {
    const url = await serve()
    const long = 'x'.repeat(LIMITS.headerBytes)
    expect(await rawAnswer(url, `GET / HTTP/1.1\r\nhost: localhost\r\nx-long: ${long}\r\n\r\n`)).toContain('431')
  })

  it('that never end are cut off, and others are answered meanwhile', async () => {
    const url = await serve()
    const startedAt = performance.now()
    const slow = rawAnswer(url, 'GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: ')
    expect((await get(url)).status).toBe(200)
    expect(await slow).toContain('408')
    expect(performance.now() - startedAt).toBeLessThan(4_000)
  })

  it('come over a bounded number of connections', async () => {
    const url = await serve()
    const sockets = await Promise.all(Array.from({ length: limits.connections }, () => open(url)))
    const oneMore = await open(url)
    await once(oneMore, 'close')
    for (const socket of sockets) socket.destroy()
    while ((await get(url).catch(() => null))?.status !== 200) await sleep(20)
  })
})

it('a port that is taken is named, with what to do', async () => {
  const url = await serve()
  const taken = { host: '127.0.0.1', port: Number(new URL(url).port) }
  await expect(listen({ address: taken, token: null, routes, onError })).rejects.toMatchObject({
    code: 'LISTEN_FAILED',
    exitCode: 1,
    message: expect.stringContaining('in use'),
  })
})

it('closing does not wait for clients that keep their connection', async () => {
  const url = await serve()
  const idle = await open(url)
  const startedAt = performance.now()
  await server?.close()
  expect(performance.now() - startedAt).toBeLessThan(2_000)
  expect(idle.destroyed || (await once(idle, 'close')) !== undefined).toBe(true)
})
