import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

/** RFC 8410: what precedes the 32 bytes of a seed in an Ed25519 private key. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const ID_BYTES = 8

export type PublicKey = { id: string; key: KeyObject }
export type SigningKey = PublicKey & { privateKey: KeyObject }

/** The chain up to `seq` has `hash`, and that was so when it was signed. */
export type Head = { seq: string; hash: Buffer; signedAt: Date }
export type SignedHead = Head & { keyId: string; signature: Buffer }

/** Ed25519 keys from their seeds in hex: the first signs, all verify. */
export const signingKeys = (seeds: readonly string[]): SigningKey[] =>
  seeds.map((seed) => {
    const der = Buffer.concat([PKCS8_PREFIX, Buffer.from(seed, 'hex')])
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    return { ...identify(createPublicKey(privateKey)), privateKey }
  })

export const readPublicKey = (pem: string): PublicKey => identify(createPublicKey(pem))

export const publicKeyPem = ({ key }: PublicKey): string =>
  String(key.export({ type: 'spki', format: 'pem' }))

function identify(key: KeyObject): PublicKey {
  const der = key.export({ type: 'spki', format: 'der' })
  return {
    id: createHash('sha256')
      .update(der)
      .digest('hex')
      .slice(0, ID_BYTES * 2),
    key,
  }
}

export const signHead = ({ id, privateKey }: SigningKey, head: Head): SignedHead => ({
  ...head,
  keyId: id,
  signature: sign(null, messageOf(head), privateKey),
})

export type Signature = 'valid' | 'invalid' | 'unknown_key'

/** `unknown_key` = none of these keys made it, by its own word. */
export function checkSignature(head: SignedHead, keys: readonly PublicKey[]): Signature {
  const by = keys.find(({ id }) => id === head.keyId)
  if (by === undefined) return 'unknown_key'
  return verify(null, messageOf(head), by.key, head.signature) ? 'valid' : 'invalid'
}

const messageOf = ({ seq, hash, signedAt }: Head): Buffer =>
  Buffer.from(['idemscope audit head 1', seq, hash.toString('hex'), signedAt.toISOString(), ''].join('\n'))
