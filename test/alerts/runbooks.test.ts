import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fillRunbook, RUNBOOKS } from '@/lib/alerts/runbooks'
import type { Runbook } from '@/lib/alerts/runbooks/runbook'
import { CONDITION_KINDS } from '@/lib/core/condition-kinds'

const FOLDER = 'docs/runbooks'
const open = (text: string) =>
  text.replaceAll(/\{(from|to|service)\}/g, (_, name: string) => name.toUpperCase())

function print({ title, when, steps }: Runbook): string {
  const lines = steps.map(({ head, text, command }, index) => {
    const api = command === undefined ? '' : `\n\n   \`${open(command)}\`\n`
    return `${index + 1}. **${open(head)}** ${open(text)}${api}`
  })
  return `# ${title}\n\n_${open(when)}_\n\n${lines.join('\n').replaceAll(/\n\n(?=\d)/g, '\n\n')}\n`.replace(
    /\n+$/,
    '\n',
  )
}

test.each(CONDITION_KINDS)('the runbook of %s in docs is the one that the console shows', async (kind) => {
  const runbook = RUNBOOKS[kind]
  await expect(print(runbook)).toMatchFileSnapshot(`../../${FOLDER}/${runbook.id}.md`)
})

test('every file of docs/runbooks is one of them', () => {
  const ids = new Set(Object.values(RUNBOOKS).map(({ id }) => `${id}.md`))
  expect(readdirSync(FOLDER).toSorted()).toEqual([...ids].toSorted())
})

test.each(CONDITION_KINDS)('nothing of the runbook of %s is left unfilled', (kind) => {
  const filling = { from: '2026-03-01T11:45:00Z', to: '2026-03-01T12:30:00Z', service: 'payments 2.18.0' }
  const filled = fillRunbook(RUNBOOKS[kind], filling)
  const text = JSON.stringify(filled)
  expect(text).not.toMatch(/\{(from|to|service)\}/)
  expect(text).toContain(filling.service)
  expect(text).toContain(filling.from)
  for (const { link } of filled.steps)
    if (link !== undefined) expect(link.path).toContain('from=2026-03-01T11%3A45%3A00Z')
})

test('the guide names every kind of alert, with its runbook', () => {
  const guide = readFileSync('docs/guides/alerts.md', 'utf8')
  const rows = [...guide.matchAll(/^\| `(\w+)` .*\[([\w-]+)\]\(\.\.\/runbooks\//gm)].map(([, kind, id]) => [
    kind,
    id,
  ])
  expect(rows).toEqual(CONDITION_KINDS.map((kind) => [kind, RUNBOOKS[kind].id]))
})
