// A proxy before an HTTP service that does harm to a share of the calls: 503 before the effect, or the answer lost after it.
// It can also be a store without room.
// The Host header is passed on as it came, so that signatures stay valid.
import { createServer, request } from 'node:http'

const REFUSALS = {
  slowDown: [503, 'SlowDown', 'Please reduce your request rate.'],
  full: [507, 'InsufficientStorage', 'The disk is full.'],
  overQuota: [403, 'QuotaExceeded', 'Your quota is exceeded.'],
}

/**
 * @param {{ target: string, fault: (call: { method: string, url: string }) => import('./fault-proxy.mjs').Fault }} options
 *   `slowDown`, `full`, `overQuota`: 503, 507, 403 without effect; `reset`: the connection ends without effect; `lost`: it ends after the effect;
 *   `hang`: no answer ever
 */
export const startFaultProxy = async ({ target, fault }) => {
  const { hostname, port } = new URL(target)
  const counts = new Map()
  const count = name => counts.set(name, (counts.get(name) ?? 0) + 1)
  const server = createServer((incoming, outgoing) => {
    const kind = fault({ method: incoming.method, url: incoming.url })
    count(kind)
    incoming.on('error', () => undefined)
    if (kind === 'hang') return
    if (kind === 'reset') {
      incoming.socket.destroy()
      return
    }
    if (kind in REFUSALS) {
      const [status, code, message] = REFUSALS[kind]
      const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`
      incoming.resume()
      incoming.on('end', () => outgoing.writeHead(status, { 'content-type': 'application/xml' }).end(body))
      return
    }
    const { method, url: path, headers } = incoming
    const onward = request({ hostname, port, method, path, headers }, answer => {
      if (kind === 'lost') {
        answer.resume()
        answer.on('end', () => incoming.socket.destroy())
        return
      }
      outgoing.writeHead(answer.statusCode, answer.rawHeaders)
      answer.pipe(outgoing)
    })
    onward.on('error', () => incoming.socket.destroy())
    incoming.pipe(onward)
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${server.address().port}`,
    counts,
    stop: () =>
      new Promise(resolve => {
        server.close(resolve)
        server.closeAllConnections()
      }),
  }
}
