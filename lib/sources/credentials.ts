import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { AppError } from '@/lib/core/errors'

/** First byte of a sealed secret, so that a later form can be told from this one. */
const FORM = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Seals a secret under the credentials key (32 bytes in hex). `owner` is bound to it: a sealed secret that is moved to
 * another source does not open. Layout: form, nonce, tag, ciphertext.
 */
export function sealSecret(keyHex: string, owner: string, secret: unknown): Uint8Array<ArrayBuffer> {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(keyHex, 'hex'), nonce)
  cipher.setAAD(Buffer.from(owner))
  const ciphertext = Buffer.concat([cipher.update(JSON.stringify(secret), 'utf8'), cipher.final()])
  return Uint8Array.from(Buffer.concat([Buffer.from([FORM]), nonce, cipher.getAuthTag(), ciphertext]))
}

/** Throws `unprocessable` when the key is another one or the bytes were changed. */
export function openSecret(keyHex: string, owner: string, sealed: Uint8Array): unknown {
  try {
    const bytes = Buffer.from(sealed)
    if (bytes[0] !== FORM) throw new Error(`form ${bytes[0]}`)
    const nonce = bytes.subarray(1, 1 + NONCE_BYTES)
    const tag = bytes.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', Buffer.from(keyHex, 'hex'), nonce, {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(Buffer.from(owner))
    decipher.setAuthTag(tag)
    const text = Buffer.concat([
      decipher.update(bytes.subarray(1 + NONCE_BYTES + TAG_BYTES)),
      decipher.final(),
    ])
    return JSON.parse(text.toString('utf8'))
  } catch (cause) {
    throw new AppError(
      'unprocessable',
      `The credentials of ${owner} do not open: is IDEMSCOPE_CREDENTIALS_KEY the key they were sealed with?`,
      { cause },
    )
  }
}
