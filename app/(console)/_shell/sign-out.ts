/** Ends the session here and on the server, and leaves nothing of the console on the screen. */
export async function signOut(): Promise<void> {
  // A server that does not answer shows on the sign-in page.
  await fetch('/api/auth/sign-out', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  }).catch(() => undefined)
  window.location.assign('/sign-in')
}
