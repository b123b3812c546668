// What a browser never gets: credentials, and data of payment cards. Applied on the server, to names and to values.

export const REDACTED = '[redacted]'

/** Names whose value is a secret, whatever it looks like: compared without case, dashes and underscores. */
const SECRET_NAME =
  /(authorization|cookie|password|passwd|secret|token|apikey|accesskey|privatekey|credential|session|signature|pin$|cvc|cvv|cvn|securitycode|cardnumber|^card$|^pan$|^number$|iban|accountnumber|routingnumber|ssn)/

/** Secrets that are known by their form: keys of providers, bearer tokens, JSON web tokens, keys in PEM. */
const SECRET_VALUE = [
  /\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{8,}/g,
  /\bwhsec_[A-Za-z0-9]{8,}/g,
  /\b(?:Bearer|Basic) +[A-Za-z0-9._~+/=-]{8,}/gi,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g,
]

/** 13 to 19 digits, together or in groups: a card number when its check digit is right. */
const CARD = /\b\d(?:[ -]?\d){12,18}\b/g

const bareName = (name: string): string => name.toLowerCase().replaceAll(/[^a-z]/g, '')

export const isSecretName = (name: string): boolean =>
  SECRET_NAME.test(bareName(name.split('.').at(-1) ?? name))

/** Attributes and fields whose value is a credential. A captured header is one more easily than an attribute. */
const CREDENTIAL_NAME =
  /(authorization|cookie|passw(or)?d|secret|credentials?|(api|access|private|signing)key)$|^passphrase$|^(x|xsrf|csrf|auth|access|refresh|bearer|id|session|security|api)*token$/
const HEADER = /(^|[._-])headers?[._-]/i

/** Whether a value of this name is never stored, whatever its spelling. */
export const isCredentialName = (name: string): boolean =>
  CREDENTIAL_NAME.test(bareName(name.split('.').at(-1) ?? name)) || (HEADER.test(name) && isSecretName(name))

/** Parameters whose value is a credential: beyond those of attributes, the signatures and codes of signed URLs and OAuth. */
const CREDENTIAL_PARAMETER =
  /(token|secret|signature|password|passwd|credentials?|authorization|(api|access|private|signing|idempotency)key|jsessionid|phpsessid)$|^(sig|code|key|pwd|pass|passphrase|auth|jwt|assertion)$/

/** The name of a parameter: after its separator, or at the start of a text that is nothing but a query. Also escaped. */
const PARAMETER = /(?:^(?=\S+$)|[?&;#]|%3f|%26|%23)([^=&;#?/:\s]{1,64}?)(=|%3d)/gi
const VALUE = /[^&#;\s"<>]+/y
const ESCAPED_VALUE = /(?:(?!%26|%23)[^&#;\s"<>])+/iy
const USER_INFO = /:\/\/[^\s/?#"]+@/g

/** A text with the credentials of the URLs and queries in it replaced. Most texts hold none, and cost no search. */
export function redactUrls(text: string): string {
  const named = text.includes('@') ? text.replaceAll(USER_INFO, `://${REDACTED}@`) : text
  return named.includes('=') ? redactParameters(named) : named
}

function redactParameters(text: string): string {
  let clean = ''
  let keptFrom = 0
  PARAMETER.lastIndex = 0
  for (let match = PARAMETER.exec(text); match !== null; match = PARAMETER.exec(text)) {
    const [, name = '', equals] = match
    if (!CREDENTIAL_PARAMETER.test(bareName(decodeName(name)))) continue
    const valueFrom = PARAMETER.lastIndex
    const value = equals === '=' ? VALUE : ESCAPED_VALUE
    value.lastIndex = valueFrom
    if (!value.test(text)) continue
    clean += text.slice(keptFrom, valueFrom) + REDACTED
    keptFrom = value.lastIndex
    PARAMETER.lastIndex = keptFrom
  }
  return clean + text.slice(keptFrom)
}

function decodeName(name: string): string {
  if (!name.includes('%')) return name
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/** A text with secrets and card numbers in it replaced. */
export function redactText(text: string): string {
  let clean = text
  for (const pattern of SECRET_VALUE) clean = clean.replaceAll(pattern, REDACTED)
  return clean.replaceAll(CARD, (digits) => (isCardNumber(digits.replaceAll(/\D/g, '')) ? REDACTED : digits))
}

/** Issuers' numbers begin with 2 to 6, or 8 or 9; only old Visa ones are short. Times and fencing tokens begin with 1. */
const ISSUED = /^(?:4\d{12}|[2-689]\d{13,18})$/

/** Whether an integer, as text, is a card number: known by its issuer and its check digit. */
export function isCardNumber(digits: string): boolean {
  if (!ISSUED.test(digits) || /^(\d)\1+$/.test(digits)) return false
  let sum = 0
  for (let place = 0; place < digits.length; place++) {
    const digit = Number(digits[digits.length - 1 - place])
    const doubled = place % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}
