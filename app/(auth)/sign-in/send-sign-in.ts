/** Null when signed in; else what to tell. */
export async function sendSignIn(email: string, password: string): Promise<string | null> {
  const answer = await fetch('/api/auth/sign-in/email', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  }).catch(() => null)
  if (answer === null) return 'The console did not answer. Check your connection and try again.'
  if (answer.ok) return null
  if (answer.status === 401) return 'Email or password is wrong.'
  if (answer.status === 400) return 'Enter a complete email address and a password.'
  if (answer.status === 403) return 'This account is locked out. Ask an administrator.'
  if (answer.status === 503) return 'Too many people sign in at this moment. Try again in a few seconds.'
  if (answer.status === 429) {
    const seconds = Number(answer.headers.get('retry-after'))
    return `Too many attempts from here. Try again in ${seconds > 90 ? `${Math.ceil(seconds / 60)} min` : `${seconds || 60} s`}.`
  }
  return `Signing in failed (${answer.status}). Try again, or look at the web process’s log.`
}
