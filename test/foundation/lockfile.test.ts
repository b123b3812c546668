import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

type Locked = { optionalDependencies?: Record<string, string>; resolved?: string; version?: string }
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, Locked>
}

/** Where npm looks for a dependency: beside the package, then in each folder above. */
function isLocked(from: string, name: string): boolean {
  const steps = from.split('node_modules/')
  return steps.some((_, index) => {
    const folder = steps.slice(0, steps.length - index).join('node_modules/')
    return `${folder}${folder === '' || folder.endsWith('/') ? '' : '/'}node_modules/${name}` in packages
  })
}

test('the lock holds the native parts of every platform, so that a Mac and Windows install the same', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !isLocked(path, name))
      .map((name) => `${path} → ${name}`),
  )
  expect(missing).toEqual([])
})

test('the lock names no registry of one machine', () => {
  const named = Object.values(packages).flatMap(({ resolved }) => resolved ?? [])
  expect(named.filter((url) => !url.startsWith('https://registry.npmjs.org/'))).toEqual([])
})
