import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { configurationPage } from '../../../scripts/docs.mjs'
import { toErrorRecord } from '../../../src/base/errors.ts'
import { describeConfig, isSecret, loadConfig } from '../../../src/wiring/config/load-config.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

const file = (content: string): string => {
  const path = join(folder, 'millrace.json')
  writeFileSync(path, content)
  return path
}

describe('configuration', () => {
  it('is what docs/configuration.md says (node scripts/docs.mjs writes it)', () => {
    const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')
    expect(page).toBe(configurationPage(describeConfig()))
  })

  it('takes the command line over the environment over the file over the default', async () => {
    const path = file(JSON.stringify({ workers: 5, kafka: { clientId: 'file' }, durability: 'disk' }))
    const env = { MILLRACE_KAFKA_CLIENT_ID: 'env', MILLRACE_WORKERS: '6', OTHER: 'x' }
    const { config } = await loadConfig({ file: path, env, set: ['workers=7', 'kafka.fetchMaxBytes=1MiB'] })
    expect(config.workers).toBe(7)
    expect(config.kafka.clientId).toBe('env')
    expect(config.durability).toBe('disk')
    expect(config.kafka.fetchMaxBytes).toBe(1_048_576)
    expect(config.kafka.requestTimeout).toBe(30_000)
  })

  it('keeps secrets out of what it says', async () => {
    const failure = await loadConfig({ env: {}, set: ['service.token=shortsecret'] }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'INVALID_CONFIG' })
    expect(JSON.stringify(toErrorRecord(failure))).not.toContain('shortsecret')
    expect(isSecret('service.token')).toBe(true)
    expect(isSecret('__proto__')).toBe(false)
  })

  it('repeats nothing of a file that is no JSON: it may be a secret', async () => {
    const failure = await loadConfig({ file: file('{"token": x-secret }'), env: {}, set: [] }).catch(
      (error: unknown) => error,
    )
    expect(failure).toMatchObject({ code: 'INVALID_CONFIG', message: expect.stringContaining('it is not JSON') })
    expect(JSON.stringify(toErrorRecord(failure))).not.toMatch(/"[^"]*(x-secret|secret|token)/)
  })

  it('refuses prototypes wherever they are named, and nothing is the worse for it', async () => {
    for (const name of ['__proto__', 'constructor', 'constructor.prototype.polluted', 'stores.__proto__.root']) {
      await expect(loadConfig({ env: {}, set: [`${name}=1`] })).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
    }
    for (const text of [
      '{"constructor": {"prototype": {"polluted": 1}}}',
      '{"stores": {"__proto__": {"root": "x"}}}',
    ]) {
      await expect(loadConfig({ file: file(text), env: {}, set: [] })).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
    }
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
    expect(Reflect.get({}, 'root')).toBeUndefined()
  })

  it.each([
    ['9464', '127.0.0.1', 9464],
    ['0.0.0.0:80', '0.0.0.0', 80],
    ['[::1]:9464', '::1', 9464],
    ['localhost:0', 'localhost', 0],
  ])('reads the address %s', async (text, host, port) => {
    const { config } = await loadConfig({ env: {}, set: [`service.listen=${text}`] })
    expect(config.service.listen).toEqual({ host, port })
  })

  it.each(['', ':9464', 'localhost', 'localhost:99999', '::1:80', 'a b:80'])(
    'refuses the address %j, and says how to write one',
    async text => {
      const failing = loadConfig({ env: {}, set: [`service.listen=${text}`] })
      await expect(failing).rejects.toMatchObject({ code: 'INVALID_CONFIG', remedy: expect.stringContaining('9464') })
    },
  )

  it.each([
    ['workrs=2', /workers/],
    ['kafka.broker=x:1', /kafka\.brokers/],
    ['workers=many', /workers/],
    ['workers=0', /workers/],
    ['trigger=often', /trigger/],
    ['__proto__.polluted=1', /__proto__/],
  ])('refuses --set %s and names what is meant', async (set, message) => {
    const failure = await loadConfig({ env: {}, set: [set] }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'INVALID_CONFIG' })
    expect(`${Reflect.get(Object(failure), 'message')} ${Reflect.get(Object(failure), 'remedy')}`).toMatch(message)
  })

  it.each(['{"__proto__": {"polluted": 1}}', '{"unknown": 1}', '[1]', 'not json'])(
    'refuses a file with %s',
    async text => {
      await expect(loadConfig({ file: file(text), env: {}, set: [] })).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
      expect(Reflect.get({}, 'polluted')).toBeUndefined()
    },
  )
})
