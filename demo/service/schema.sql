-- The demo service's own tables. Applied at every start, so every statement can run again.

CREATE TABLE IF NOT EXISTS payment (
  id                text        PRIMARY KEY,
  reference         text        NOT NULL,
  customer          text        NOT NULL,
  amount_minor      bigint      NOT NULL CHECK (amount_minor > 0),
  currency          text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  status            text        NOT NULL CHECK (status IN ('succeeded', 'requires_capture')),
  charge_id         text        NOT NULL,
  payment_intent_id text        NOT NULL,
  created_at        timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What a payment is for, where it has to be shipped.
CREATE TABLE IF NOT EXISTS order_line (
  payment_id text    PRIMARY KEY,
  sku        text    NOT NULL,
  quantity   integer NOT NULL CHECK (quantity > 0)
);

-- The stock, as the inventory's consumer keeps it: one row a message.
CREATE TABLE IF NOT EXISTS stock_movement (
  movement_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  message_id  uuid        NOT NULL,
  reference   text        NOT NULL,
  sku         text        NOT NULL,
  quantity    integer     NOT NULL,
  moved_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS stock_movement_reference ON stock_movement (reference);

CREATE TABLE IF NOT EXISTS ledger_entry (
  entry_id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  entry_kind    text        NOT NULL CHECK (entry_kind IN ('charge', 'refund', 'fee', 'dispute')),
  provider_ref  text        NOT NULL,
  charge_ref    text        NOT NULL,
  reference     text        NOT NULL,
  amount_minor  bigint      NOT NULL CHECK (amount_minor > 0),
  currency      text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  booked_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  reversed_at   timestamptz,
  correction_id text        UNIQUE
);
-- A ledger from before fees and disputes were booked. Every row of it holds under the wider check, so none is read.
DO $$ BEGIN
  IF (SELECT pg_get_constraintdef(oid) FROM pg_constraint
      WHERE conrelid = 'ledger_entry'::regclass AND conname = 'ledger_entry_entry_kind_check') NOT LIKE '%fee%' THEN
    ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_entry_kind_check,
      ADD CONSTRAINT ledger_entry_entry_kind_check CHECK (entry_kind IN ('charge', 'refund', 'fee', 'dispute')) NOT VALID;
  END IF;
END $$;
CREATE INDEX IF NOT EXISTS ledger_entry_provider_ref ON ledger_entry (provider_ref);
CREATE INDEX IF NOT EXISTS ledger_entry_booked_at ON ledger_entry (booked_at);

-- Every correction ever applied. The action id makes one idempotent; its body proves that a repeat is the same.
CREATE TABLE IF NOT EXISTS ledger_correction (
  action_id  text        PRIMARY KEY,
  body       jsonb       NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  entry_id   bigint      REFERENCES ledger_entry
);

-- The one way for the console to change the ledger:
--   {"actionId","kind":"book_charge"|"book_refund"|"book_dispute"|"book_fee"|"reverse","entryId","providerRef","chargeRef","reference","amountMinor","currency"}
--   → {"applied": whether this call changed something, "entryId": the entry concerned}
-- book_charge also saves the payment itself where "paymentIntent" (and "customer") are given.
-- A repeat of an action changes nothing; so does booking what is booked, and reversing what is reversed.
CREATE OR REPLACE FUNCTION payments_apply_correction(p jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  correction public.ledger_correction;
  entry      bigint;
  changed    boolean := true;
  wanted     text := CASE p->>'kind'
    WHEN 'book_charge' THEN 'charge' WHEN 'book_refund' THEN 'refund' WHEN 'book_dispute' THEN 'dispute'
    WHEN 'book_fee' THEN 'fee' END;
BEGIN
  IF num_nonnulls(p->>'actionId', p->>'kind', p->>'providerRef') < 3 THEN
    RAISE EXCEPTION 'actionId, kind and providerRef are required' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO public.ledger_correction (action_id, body) VALUES (p->>'actionId', p) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    SELECT * INTO STRICT correction FROM public.ledger_correction WHERE action_id = p->>'actionId';
    IF correction.body <> p THEN
      RAISE EXCEPTION 'action % was applied with another body', p->>'actionId' USING ERRCODE = 'unique_violation';
    END IF;
    RETURN jsonb_build_object('applied', false, 'entryId', correction.entry_id);
  END IF;

  -- Two corrections of one object wait for each other; the second sees what the first booked.
  PERFORM pg_advisory_xact_lock(hashtextextended('ledger:' || (p->>'providerRef'), 0));
  IF wanted IS NOT NULL THEN
    SELECT entry_id INTO entry FROM public.ledger_entry
      WHERE provider_ref = p->>'providerRef' AND entry_kind = wanted AND reversed_at IS NULL
      ORDER BY entry_id LIMIT 1;
    changed := NOT FOUND;
    IF changed THEN
      INSERT INTO public.ledger_entry
        (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency, correction_id)
      VALUES (wanted, p->>'providerRef', p->>'chargeRef', p->>'reference', (p->>'amountMinor')::bigint,
        p->>'currency', p->>'actionId')
      RETURNING entry_id INTO entry;
    END IF;
    -- A payment whose service died before it was saved: the console read its facts from the provider.
    IF wanted = 'charge' AND p->>'paymentIntent' IS NOT NULL THEN
      INSERT INTO public.payment
        (id, reference, customer, amount_minor, currency, status, charge_id, payment_intent_id)
      VALUES ('pay_' || substr(p->>'chargeRef', 4), p->>'reference', coalesce(p->>'customer', 'unknown'),
        (p->>'amountMinor')::bigint, p->>'currency', 'succeeded', p->>'chargeRef', p->>'paymentIntent')
      ON CONFLICT (id) DO NOTHING;
    END IF;
  ELSIF p->>'kind' = 'reverse' THEN
    -- The posting that is named; else, of two of one object, the later one.
    UPDATE public.ledger_entry SET reversed_at = clock_timestamp() WHERE entry_id = (
      SELECT entry_id FROM public.ledger_entry
        WHERE provider_ref = p->>'providerRef' AND reversed_at IS NULL
          AND entry_id = coalesce((p->>'entryId')::bigint, entry_id)
        ORDER BY entry_id DESC LIMIT 1)
      RETURNING entry_id INTO entry;
    changed := FOUND;
    IF NOT changed THEN
      SELECT max(entry_id) INTO entry FROM public.ledger_entry
        WHERE provider_ref = p->>'providerRef' AND entry_id = coalesce((p->>'entryId')::bigint, entry_id);
    END IF;
  ELSE
    RAISE EXCEPTION 'unknown kind %', p->>'kind' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  UPDATE public.ledger_correction SET entry_id = entry WHERE action_id = p->>'actionId';
  RETURN jsonb_build_object('applied', changed, 'entryId', entry);
END
$$;

REVOKE EXECUTE ON FUNCTION payments_apply_correction(jsonb) FROM PUBLIC;
