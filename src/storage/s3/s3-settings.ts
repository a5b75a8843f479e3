/** Where an S3-compatible store is and how patiently it is spoken to; plain data. Credentials come from the SDK's own chain. */
export interface S3StoreSettings {
  readonly bucket: string
  /** Begins every key, without slashes at its ends; '' for none. */
  readonly prefix: string
  /** `null`: AWS itself. */
  readonly endpoint: string | null
  /** `null`: what the SDK finds (AWS_REGION, the profile). */
  readonly region: string | null
  /** `http://host/bucket/key` instead of `http://bucket.host/key`: what most stores but AWS want. */
  readonly forcePathStyle: boolean
  /** Profile of the shared AWS configuration; `null`: the default chain (environment, default profile, instance role …). */
  readonly profile: string | null
  /** One attempt at one request. */
  readonly requestTimeoutMs: number
  /** Attempts at one request before the store counts as failed. */
  readonly maxAttempts: number
  /** All attempts at one request and the waits between them. */
  readonly retryTimeoutMs: number
  /** Connections to the endpoint; further requests wait for one. */
  readonly maxSockets: number
}
