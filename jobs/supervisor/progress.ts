/** What a person who waits for a start reads: each step as it begins, and how long it took. */
export type Progress = { step<T>(what: string, work: Promise<T>): Promise<T> }

export function createProgress(print: (line: string) => void = console.log): Progress {
  return {
    async step(what, work) {
      const startedAt = performance.now()
      print(`  … ${what}`)
      const result = await work
      print(`  ✓ ${what} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`)
      return result
    },
  }
}
