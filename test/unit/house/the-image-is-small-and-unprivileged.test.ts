import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const project = fileURLToPath(new URL('../../../', import.meta.url))
const lines = readFileSync(join(project, 'Dockerfile'), 'utf8').split('\n')
const ofKind = (instruction: string): readonly string[] => lines.filter(line => line.startsWith(`${instruction} `))

it('the last stage starts from a slim image, runs as an unprivileged user and has a health check', () => {
  expect(ofKind('FROM').at(-1)).toBe('FROM node:20-slim')
  const lastStage = lines.slice(lines.lastIndexOf('FROM node:20-slim'))
  expect(lastStage).toContain('USER node')
  expect(lastStage.some(line => line.startsWith('HEALTHCHECK '))).toBe(true)
  expect(lastStage.findIndex(line => line.startsWith('RUN '))).toBeLessThan(lastStage.indexOf('USER node'))
})

it('copies only files that are there, and the build context leaves the rest out', () => {
  const copied = ofKind('COPY')
    .filter(line => !line.includes('--from='))
    .flatMap(line => line.split(' ').slice(1, -1))
  expect(copied.filter(name => !existsSync(join(project, name)))).toEqual([])
  const ignored = readFileSync(join(project, '.dockerignore'), 'utf8').split('\n')
  for (const name of ['node_modules', '.git', 'millrace-data']) expect(ignored).toContain(name)
})
