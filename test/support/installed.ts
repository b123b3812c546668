import { spawnSync } from 'node:child_process'
import type { TestContext } from 'vitest'

/** Debian's packages of programs that are named otherwise. */
const PACKAGES: Record<string, string> = { promtool: 'prometheus' }

/** Skips the test, and says why, where one of these programs is not installed. */
export function needPrograms({ skip }: TestContext, ...programs: readonly string[]): void {
  const missing = programs.filter((program) => spawnSync('which', [program]).status !== 0)
  if (missing.length === 0) return
  const packages = missing.map((program) => PACKAGES[program] ?? program)
  skip(`${missing.join(', ')} not found: apt-get install ${packages.join(' ')}`)
}
