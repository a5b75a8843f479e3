import { MillraceError } from '../base/errors.ts'
import type { ListenAddress } from '../wiring/config/config.ts'

/** How a request is judged before any route sees it. */
export type Access = 'granted' | 'noToken' | 'foreignHost'

/** Headers that decide on access. */
export interface AccessHeaders {
  readonly host: string | undefined
  readonly authorization: string | undefined
}

/** Compares secrets in a time that does not tell how much of them fits. */
export type SameSecret = (given: string, expected: string) => boolean

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i

/** Whether a host name means this machine alone. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host)

/** Who may reach the address must show a token, unless it is this machine alone. @throws INVALID_CONFIG */
export const requireSafeAddress = ({ host, port }: ListenAddress, token: string | null): void => {
  if (token !== null || isLoopback(host)) return
  throw new MillraceError('INVALID_CONFIG', `the service would answer anybody who reaches ${host}:${port}`, {
    remedy: 'Set service.token (MILLRACE_SERVICE_TOKEN), or listen on 127.0.0.1.',
    details: { host, port },
  })
}

/**
 * With a token, who brings it as `Bearer` or as the password of `Basic` is let in: Prometheus sends the one, browsers ask for the
 * other. Without one, requests must be addressed to this machine by a loopback name: a page of another site that points
 * its own name at 127.0.0.1 is turned away.
 */
export const accessOf = (headers: AccessHeaders, token: string | null, same: SameSecret): Access => {
  if (token === null) return isLoopback(hostName(headers.host ?? '')) ? 'granted' : 'foreignHost'
  const given = secretIn(headers.authorization ?? '')
  return given !== null && same(given, token) ? 'granted' : 'noToken'
}

const hostName = (host: string): string => host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')

const secretIn = (authorization: string): string | null => {
  const [, scheme, value] = /^(Bearer|Basic) +(\S+)$/i.exec(authorization) ?? []
  if (scheme === undefined || value === undefined) return null
  if (scheme.toLowerCase() === 'bearer') return value
  const decoded = new TextDecoder().decode(Uint8Array.from(safeAtob(value), character => character.charCodeAt(0)))
  return decoded.slice(decoded.indexOf(':') + 1)
}

const safeAtob = (text: string): string => {
  try {
    return atob(text)
  } catch {
    return ''
  }
}
