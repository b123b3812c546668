import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DASHBOARDS } from '@/jobs/deploy/dashboards'
import { deployFiles } from '@/jobs/deploy/files'
import { ALERTS } from '@/lib/alerts/about'
import { RUNBOOKS } from '@/lib/alerts/runbooks'
import { CONDITION_KINDS } from '@/lib/core/condition-kinds'
import { METRICS } from '@/lib/core/metrics'
import { needPrograms } from '../support/installed'

const RECORDING = 'deploy/prometheus/recording.rules.yml'
const ALERTING = 'deploy/prometheus/alerts.rules.yml'
const files = deployFiles()
const textOf = (path: string) => files.get(path) ?? ''

test.each([...files.keys()])('%s is up to date (npm run deploy-files)', (path) => {
  expect(readFileSync(path, 'utf8')).toBe(files.get(path))
})

test('nothing else is there', () => {
  const there = ['deploy/prometheus', 'deploy/grafana'].flatMap((folder) =>
    readdirSync(folder).map((name) => `${folder}/${name}`),
  )
  expect(there.toSorted()).toEqual([...files.keys()].toSorted())
})

test.each(CONDITION_KINDS)('%s has one alert, with its title and its runbook', (kind) => {
  const blocks = textOf(ALERTING)
    .split('- alert: ')
    .filter((block) => block.includes(`{kind=\\"${kind}\\"}) == 1`))
  expect(blocks).toHaveLength(1)
  expect(blocks[0]).toContain(`title: ${JSON.stringify(ALERTS[kind].title)}`)
  expect(blocks[0]).toContain(`runbook: "docs/runbooks/${RUNBOOKS[kind].id}.md"`)
  expect(blocks[0]).not.toMatch(/[^{]\{(from|to|service)\}/)
})

/** Every metric that a text names, of ours or of the runtime. */
const namesIn = (text: string) =>
  text.match(/(?<![\w:-])(idemscope_\w+|idemscope:[\w:]+|process_\w+|nodejs_\w+)/g) ?? []

test('rules and dashboards ask only for metrics that there are', () => {
  const recorded = [...textOf(RECORDING).matchAll(/- record: (\S+)/g)].map(([, name = '']) => name)
  const known = new Set<string>([...Object.keys(METRICS), ...recorded])
  const asked = [...files.values()].flatMap(namesIn)
  expect(asked.length).toBeGreaterThan(100)
  expect(asked.filter((name) => !known.has(name))).toEqual([])
})

type Dashboard = {
  uid: string
  panels: { gridPos: Record<'x' | 'y' | 'w' | 'h', number>; targets: { expr: string }[] }[]
}

test.each(Object.keys(DASHBOARDS))('the panels of %s lie beside each other, each with a query', (name) => {
  const { uid, panels }: Dashboard = JSON.parse(textOf(`deploy/grafana/${name}.json`))
  expect(uid).toBe(`idemscope-${name}`)
  const taken = new Set<string>()
  for (const { gridPos, targets } of panels) {
    expect(targets.length).toBeGreaterThan(0)
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(taken.has(`${x} ${y}`)).toBe(false)
        taken.add(`${x} ${y}`)
      }
  }
})

const promtool = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' })
  return { status, said: `${stdout}${stderr}` }
}

test('promtool accepts the rules', (context) => {
  needPrograms(context, 'promtool')
  expect(promtool('check', 'rules', '--lint-fatal', RECORDING, ALERTING)).toMatchObject({ status: 0 })
})

test('the rules say what they should in promtool’s unit tests', (context) => {
  needPrograms(context, 'promtool')
  const { status, said } = promtool('test', 'rules', 'test/deploy/rules.promtool.yml')
  expect({ status, said: status === 0 ? '' : said }).toEqual({ status: 0, said: '' })
})

test('promtool accepts every query of the dashboards', (context) => {
  needPrograms(context, 'promtool')
  const queries = Object.keys(DASHBOARDS).flatMap((name) => {
    const { panels }: Dashboard = JSON.parse(textOf(`deploy/grafana/${name}.json`))
    return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
  })
  const rules = queries.map((expr, index) => `  - record: q${index}\n    expr: ${JSON.stringify(expr)}\n`)
  const folder = mkdtempSync(join(tmpdir(), 'idemscope-queries-'))
  const path = join(folder, 'queries.yml')
  writeFileSync(path, `groups:\n- name: queries\n  rules:\n${rules.join('')}`)
  expect(promtool('check', 'rules', path)).toEqual({
    status: 0,
    said: expect.stringContaining(`${queries.length} rules`),
  })
  rmSync(folder, { recursive: true })
})
