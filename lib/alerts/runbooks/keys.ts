import type { Runbook } from './runbook'

export const STUCK_KEYS: Runbook = {
  id: 'stuck-keys',
  title: 'Keys are stuck',
  when: 'Keys of {service} are held by nobody who works on them, and money may have moved behind them; or they are too many.',
  steps: [
    {
      head: 'What does each of them need?',
      text: 'Locks has the verdict for each, from the store and the provider: `release`, `complete`, `investigate` or `wait`. The alert names the oldest and the money behind all of them.',
      link: { label: 'Open the stuck locks', path: '/locks' },
      command: 'GET /api/v1/locks?state=lease_expired,unknown',
    },
    {
      head: 'Did it begin with a deploy?',
      text: 'Where they are all of one version since {from}, holders of it die or hang: hold the route or roll back before you release anything, or it goes on.',
      link: { label: 'Open Now in this range', path: '/now' },
    },
    {
      head: 'Press what the verdict says.',
      text: '`complete`: the provider has the effect; the caller’s retry gets the recovered answer. `release`: the holder is dead and the provider was shown to have nothing; a retry runs it. Many at once: select those of one verdict.',
    },
    {
      head: 'Do not',
      text: 'release what says `investigate` or `wait`, and do not tell callers to use a new key: that is how customers are charged twice.',
    },
  ],
}

export const WINDOW_CLOSING: Runbook = {
  id: 'window-closing',
  title: 'The provider is about to forget',
  when: 'A stuck key of {service}, or a correction whose end nobody knows, is nearly as old as the provider remembers keys (IDEMSCOPE_PROVIDER_WINDOW_MS). After that the same key would be a new charge.',
  steps: [
    {
      head: 'Settle these first.',
      text: 'The oldest comes first in Locks. What the provider has is completed; what it was shown not to have is released while a retry is still safe.',
      link: { label: 'Open the stuck locks', path: '/locks' },
      command: 'GET /api/v1/locks?state=lease_expired,unknown',
    },
    {
      head: 'A correction without a known end?',
      text: 'The console reads the provider again and settles it by what is there. Where the provider cannot be read, mend that first: it has been so since {from}.',
      link: { label: 'Open the approvals', path: '/reconciliation' },
      command: 'GET /api/v1/actions?state=unknown',
    },
    {
      head: 'Too late?',
      text: 'Then nothing is sent again under the old key. Reconcile the time, and correct by what the provider lists.',
      link: { label: 'Open reconciliation in this range', path: '/reconciliation' },
    },
  ],
}

export const EXPIRED_KEYS: Runbook = {
  id: 'expired-key-retries',
  title: 'Clients retry for longer than keys are kept',
  when: 'Of the executions of an hour, more than the target were retries of a key whose record had expired: each of them ran again.',
  steps: [
    {
      head: 'Whose, and how late?',
      text: 'Storage shows how long clients of {service} really retry, against the TTL of each tier, between {from} and {to}.',
      link: { label: 'Open storage', path: '/storage' },
    },
    {
      head: 'Were customers charged twice?',
      text: 'Cases of the class `expired_key_retry` are confirmed by the provider; a refund is proposed there.',
      link: { label: 'Open the cases', path: '/reconciliation' },
      command: 'GET /api/v1/reconciliation/cases?class=expired_key_retry',
    },
    {
      head: 'Lengthen the TTL first,',
      text: 'then talk to the client. Shortening it, or collecting sooner, makes it worse.',
    },
  ],
}

export const KEY_REUSE: Runbook = {
  id: 'key-reuse',
  title: 'A client sends keys again with another body',
  when: '{service} sends keys again with another body. Each is refused with 422, and nobody is charged twice by it; its customers are not served.',
  steps: [
    {
      head: 'Since when, and of which version?',
      text: 'A rate that begins with a deploy of the client is a key that is made from too little, often from a time or a counter that starts anew.',
      link: { label: 'Open Now in this range', path: '/now' },
    },
    {
      head: 'Show the client’s team one of them.',
      text: 'The key’s page has both attempts, with the fingerprint of each body, between {from} and {to}.',
      link: { label: 'Open the keys', path: '/keys' },
      command: 'GET /api/v1/reconciliation/cases?class=key_reuse_mismatch',
    },
    {
      head: 'Do not',
      text: 'release or delete such a key: its first answer is right for its first body.',
    },
  ],
}

export const REDELIVERIES: Runbook = {
  id: 'redeliveries',
  title: 'Messages are delivered again',
  when: 'More of the messages of an hour were delivered more than once than the target (M8).',
  steps: [
    {
      head: 'Does the consumer acknowledge in time?',
      text: 'A handler that takes longer than the visibility time gets its message again: compare both, between {from} and {to}.',
      link: { label: 'Open the traces', path: '/traces' },
    },
    {
      head: 'Does it matter?',
      text: 'A consumer of {service} with an inbox drops the second delivery. Duplicate effects say whether one got through.',
      link: { label: 'Open the duplicate effects', path: '/effects?kind=duplicate' },
    },
  ],
}
