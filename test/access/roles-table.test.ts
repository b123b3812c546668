import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { PERMISSIONS, ROLES, roleAllows, type Verb } from '@/lib/core/permissions'

test('the published table of roles and verbs is the one that is enforced', () => {
  const rows = readFileSync('docs/guides/roles.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
  const published = rows.map(([, verb = '', , ...cells]) => [
    verb.replaceAll('`', ''),
    cells.slice(0, ROLES.length),
  ])
  const enforced = (Object.keys(PERMISSIONS) as Verb[]).map((verb) => [
    verb,
    ROLES.map((role) => (roleAllows(role, verb) ? 'yes' : '–')),
  ])
  expect(published).toEqual(enforced)
})
