import type { Api } from './requests.ts'

/** An answer together with the memory it was read into, which some answers point into. */
export interface Answer<Response> {
  readonly response: Response
  readonly frame: Buffer
}

/**
 * A conversation with one broker: requests may be sent before earlier ones are answered. The port that every kind of
 * socket (plain today; TLS, SASL) is put behind.
 */
export interface BrokerConnection {
  /** `host:port`, for messages. */
  readonly address: string
  readonly open: boolean
  /** @throws BROKER_TIMEOUT, BROKER_UNREACHABLE (each closes the connection), BROKER_ERROR */
  request<Request, Response>(api: Api<Request, Response>, request: Request): Promise<Answer<Response>>
  close(): void
}

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

/** Opens a connection and finds out that the broker speaks what is needed. @throws as `request`, UNSUPPORTED_BROKER */
export type Connect = (to: BrokerAddress) => Promise<BrokerConnection>
