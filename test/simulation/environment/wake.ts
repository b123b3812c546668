let woken = () => {}
/** A statement has come back, or a strand goes on. */
export const wake = (): void => woken()

/** Until something moves. Turning round until then would keep the database from its processor. */
export async function somethingMoves(): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 1_000)
    woken = () => {
      clearTimeout(timer)
      resolve()
    }
  })
}
