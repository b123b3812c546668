/** Runs once when the server starts: only what needs Node's own signals. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return
  const { startProcess } = await import('./app/_server/process')
  startProcess()
}
