/**
 * What a commit does to state, topics, outbox and dead letters, and how the commits of a group share a transaction
 * (`run_group`). Workflows: `schema-workflow.ts`; jobs: `schema-jobs.ts`; claims: `schema-claims.ts`.
 *
 * A group is applied without savepoints first. When one of its batches is refused, all of it is undone and applied again, each
 * batch in a savepoint of its own (L1): refusals are rare, and savepoints dear to everybody who reads meanwhile.
 *
 * Locks. There is one order for all processes: state rows by key, topics, groups, instances by id. The batches of a group come in it, and
 * where one of them changes several things, all that the group will change is locked first (`lock_rows`), so that two groups seldom wait for each other in a circle. Where they do all the same (rows that were not
 * there yet), PostgreSQL ends one of them, and it is run again. The lock on a topic's row also gives its messages their order: a
 * number is taken under it and kept until the commit, so no group's cursor passes a message that is still being written.
 *
 * Sent by a request are values, never text of a statement.
 */
export const CONFLICT = 'MC001';
export const TOPIC_FULL = 'MC002';
/** The session's row is gone: others took this process for dead. */
export const SESSION_GONE = 'MC003';

export const COMMIT_FUNCTIONS = `
CREATE OR REPLACE FUNCTION now_ms(p_now bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN RETURN coalesce(p_now, (extract(epoch FROM clock_timestamp()) * 1000)::bigint); END $$;

-- Keeps the session's row until the end of the transaction, so that what is claimed now is never orphaned.
CREATE OR REPLACE FUNCTION hold_session(p_session bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM sessions WHERE id = p_session FOR KEY SHARE;
  IF NOT FOUND THEN RAISE EXCEPTION 'the session is gone' USING ERRCODE = '${SESSION_GONE}'; END IF;
END $$;

CREATE OR REPLACE FUNCTION topic_id(p_name text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE v_id integer;
BEGIN
  SELECT id INTO v_id FROM topics WHERE name = p_name FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    INSERT INTO topics (name) VALUES (p_name) ON CONFLICT (name) DO NOTHING;
    SELECT id INTO v_id FROM topics WHERE name = p_name FOR NO KEY UPDATE;
  END IF;
  RETURN v_id;
END $$;

CREATE OR REPLACE FUNCTION open_group(p_topic text, p_group text, p_now bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE v_topic integer := topic_id(p_topic);
BEGIN
  INSERT INTO groups (topic, name, seen_at, taken) SELECT id, p_group, now_ms(p_now), trimmed FROM topics WHERE id = v_topic
    ON CONFLICT (topic, name) DO UPDATE SET seen_at = excluded.seen_at;
END $$;

-- One look (L5): of up to p_limit messages from p_from on, those go that all groups have done with and that were published until then.
CREATE OR REPLACE FUNCTION look_to_trim(p_topic integer, p_from bigint, p_published_until bigint, p_limit integer, OUT gone bigint, OUT freed bigint, OUT more boolean, OUT last bigint) LANGUAGE plpgsql AS $$
DECLARE v_through bigint; v_looked integer;
BEGIN
  SELECT coalesce(min(cursor), ${Number.MAX_SAFE_INTEGER}) INTO v_through FROM groups WHERE topic = p_topic;
  SELECT count(*), max(m.sequence) INTO v_looked, last FROM (SELECT sequence FROM messages WHERE topic = p_topic AND sequence >= p_from AND sequence <= v_through ORDER BY sequence LIMIT p_limit) m;
  gone := 0; freed := 0; more := v_looked = p_limit;
  IF last IS NULL THEN last := p_from; RETURN; END IF;
  WITH removed AS (
    DELETE FROM messages m WHERE m.topic = p_topic AND m.sequence >= p_from AND m.sequence <= look_to_trim.last AND m.published_at <= p_published_until
      AND NOT EXISTS (SELECT 1 FROM groups g JOIN deliveries d ON d.grp = g.id AND d.sequence = m.sequence WHERE g.topic = p_topic) RETURNING length(m.data) AS size)
  SELECT count(*), coalesce(sum(size), 0) INTO gone, freed FROM removed;
  IF gone > 0 THEN UPDATE topics SET bytes = bytes - freed, trimmed = trimmed + gone WHERE id = p_topic; END IF;
END $$;

-- The oldest messages, and where all of these are open as many more from where the last look ended.
CREATE OR REPLACE FUNCTION trim_topic(p_topic integer, p_published_until bigint, p_limit integer, OUT gone bigint, OUT freed bigint, OUT more boolean) LANGUAGE plpgsql AS $$
DECLARE v_first record; v_next record; v_after bigint; v_looked bigint;
BEGIN
  v_first := look_to_trim(p_topic, 0, p_published_until, p_limit);
  gone := v_first.gone; freed := v_first.freed; more := v_first.more;
  IF gone > 0 OR NOT more THEN RETURN; END IF;
  IF (SELECT published_at FROM messages WHERE topic = p_topic AND sequence = v_first.last) > p_published_until THEN more := false; RETURN; END IF;
  SELECT looked INTO v_looked FROM topics WHERE id = p_topic;
  v_after := greatest(v_first.last, v_looked);
  v_next := look_to_trim(p_topic, v_after + 1, p_published_until, p_limit);
  gone := v_next.gone; freed := v_next.freed;
  IF gone > 0 THEN more := true; RETURN; END IF;
  UPDATE topics SET looked = CASE WHEN v_next.more AND (SELECT published_at FROM messages WHERE topic = p_topic AND sequence = v_next.last) <= p_published_until THEN v_next.last ELSE 0 END WHERE id = p_topic;
  -- Of what lies between the oldest and where this look began, something may have been acknowledged by now.
  more := v_next.more OR v_after > v_first.last;
END $$;

-- L5 at the limit: frees what the message needs, in bounded looks, or refuses it.
CREATE OR REPLACE FUNCTION make_room(p_topic integer, p_op jsonb, p_pending bigint, p_now bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE v_size bigint := (p_op->>'size')::bigint; v_max bigint := (p_op#>>'{retention,bytesMax}')::bigint; v_over bigint; v_missing bigint := v_size; v_until bigint; v_fruitless integer := 0; v_look record;
BEGIN
  SELECT bytes + p_pending + v_size - v_max INTO v_over FROM topics WHERE id = p_topic;
  IF v_over <= 0 THEN RETURN; END IF;
  IF v_size <= v_max THEN
    v_until := CASE WHEN EXISTS (SELECT 1 FROM groups WHERE topic = p_topic) THEN ${Number.MAX_SAFE_INTEGER} ELSE p_now - (p_op#>>'{retention,retentionMs}')::bigint END;
    WHILE v_fruitless < 2 LOOP
      v_look := trim_topic(p_topic, v_until, 500);
      v_over := v_over - v_look.freed; v_missing := v_missing - v_look.freed;
      IF v_over <= 0 OR (v_look.more AND v_missing <= 0) THEN RETURN; END IF;
      EXIT WHEN NOT v_look.more;
      IF v_look.gone = 0 THEN v_fruitless := v_fruitless + 1; END IF;
    END LOOP;
  END IF;
  RAISE EXCEPTION USING ERRCODE = '${TOPIC_FULL}', MESSAGE = format('topic %s has no room: it may hold %s bytes of messages, and those it holds are still to be acknowledged, or within their retention and without a group', p_op->>'topic', v_max);
END $$;

-- Applies one batch. p_run holds what the group has counted so far, written once at its end: by topic [bytes, messages, retention],
-- by consumer group [back to waiting, ended].
CREATE OR REPLACE FUNCTION apply_batch(p_session bigint, p_batch jsonb, p_data bytea, p_now bigint, INOUT p_run jsonb, OUT answer jsonb) LANGUAGE plpgsql AS $$
DECLARE
  v_op jsonb; v_index integer := -1; v_result jsonb; v_results jsonb[] := '{}'; v_touched text[] := '{}';
  v_type text; v_etag text; v_live boolean; v_id integer; v_number bigint; v_data bytea; v_counts jsonb; v_outcome outcome;
BEGIN
  FOR v_op IN SELECT * FROM jsonb_array_elements(p_batch) LOOP
    v_index := v_index + 1;
    v_type := v_op->>'type';
    v_data := CASE WHEN v_op ? 'at' THEN substring(p_data FROM (v_op->>'at')::integer + 1 FOR (v_op->>'size')::integer) END;
    IF v_type LIKE 'workflow.%' THEN
      v_outcome := wf_apply(p_session, v_op, v_index, p_now);
      v_result := jsonb_build_object('workflow', v_outcome.result); v_touched := v_touched || v_outcome.touched;
    ELSIF v_type LIKE 'job.%' THEN
      v_outcome := job_apply(v_op, v_data, v_index, p_now);
      v_result := v_outcome.result; v_touched := v_touched || v_outcome.touched;
    ELSIF v_type LIKE 'message.%' THEN
      v_result := '{"applied": false}';
      SELECT g.id INTO v_id FROM groups g JOIN topics t ON t.id = g.topic WHERE t.name = v_op->>'topic' AND g.name = v_op->>'group' FOR NO KEY UPDATE OF g;
      IF FOUND THEN
        -- By its key: the index of what the session holds, which might seem as good before there are statistics, is as long as that is much.
        IF v_type = 'message.ack' THEN
          DELETE FROM deliveries WHERE grp = v_id AND sequence = (v_op->>'sequence')::bigint AND session + 0 = p_session;
        ELSE
          UPDATE deliveries SET session = NULL, claim = NULL, due_at = coalesce((v_op->>'dueAt')::bigint, 0), attempt = attempt + (v_op ? 'dueAt')::integer
            WHERE grp = v_id AND sequence = (v_op->>'sequence')::bigint AND session + 0 = p_session;
        END IF;
        IF FOUND THEN
          v_result := '{"applied": true}';
          IF v_type <> 'message.ack' THEN v_touched := v_touched || ('topic/' || (v_op->>'topic')); END IF;
          v_counts := coalesce(p_run#>ARRAY['groups', v_id::text], '[0, 0]');
          p_run := jsonb_set(p_run, ARRAY['groups', v_id::text], jsonb_build_array((v_counts->>0)::integer + (v_type <> 'message.ack')::integer, (v_counts->>1)::integer + (v_type = 'message.ack')::integer));
        END IF;
      END IF;
    ELSE
      CASE v_type
      WHEN 'state.set' THEN
        v_etag := gen_random_uuid()::text;
        IF v_op ? 'ifEtag' THEN
          UPDATE state SET etag = v_etag, expires_at = (v_op->>'expiresAt')::bigint, is_binary = (v_op->>'binary')::boolean, data = v_data
            WHERE tbl = v_op->>'table' AND key = v_op->>'key' AND etag = v_op->>'ifEtag' AND (expires_at IS NULL OR expires_at > p_now);
        ELSE
          INSERT INTO state (tbl, key, etag, expires_at, is_binary, data) VALUES (v_op->>'table', v_op->>'key', v_etag, (v_op->>'expiresAt')::bigint, (v_op->>'binary')::boolean, v_data)
            ON CONFLICT (tbl, key) DO UPDATE SET etag = excluded.etag, expires_at = excluded.expires_at, is_binary = excluded.is_binary, data = excluded.data
            WHERE NOT v_op ? 'ifAbsent' OR state.expires_at <= p_now;
        END IF;
        IF NOT FOUND THEN RAISE EXCEPTION USING ERRCODE = '${CONFLICT}', MESSAGE = v_op->>'key', DETAIL = v_index::text; END IF;
        v_result := jsonb_build_object('etag', v_etag);
      WHEN 'state.delete' THEN
        DELETE FROM state WHERE tbl = v_op->>'table' AND key = v_op->>'key' AND (NOT v_op ? 'ifEtag' OR (etag = v_op->>'ifEtag' AND (expires_at IS NULL OR expires_at > p_now)))
          RETURNING expires_at IS NULL OR expires_at > p_now INTO v_live;
        IF NOT FOUND AND v_op ? 'ifEtag' THEN RAISE EXCEPTION USING ERRCODE = '${CONFLICT}', MESSAGE = v_op->>'key', DETAIL = v_index::text; END IF;
        v_result := jsonb_build_object('deleted', coalesce(v_live, false));
      WHEN 'topic.append' THEN
        v_id := topic_id(v_op->>'topic');
        v_counts := coalesce(p_run#>ARRAY['topics', v_id::text], '[0, 0]');
        PERFORM make_room(v_id, v_op, (v_counts->>0)::bigint, p_now);
        v_number := nextval('message_sequence');
        INSERT INTO messages (topic, sequence, id, published_at, content_type, metadata, data) VALUES (v_id, v_number, v_op->>'id', p_now, v_op->>'contentType', v_op->>'metadata', v_data);
        p_run := jsonb_set(p_run, ARRAY['topics', v_id::text], jsonb_build_array((v_counts->>0)::bigint + length(v_data), (v_counts->>1)::bigint + 1, v_op#>'{retention,retentionMs}'));
        v_touched := v_touched || ('topic/' || (v_op->>'topic'));
        v_result := jsonb_build_object('sequence', v_number);
      WHEN 'outbox.add' THEN
        INSERT INTO outbox (id, app_id, pubsub, topic, data, content_type, metadata, created_at)
          VALUES (v_op->>'id', v_op->>'appId', v_op->>'pubsub', v_op->>'topic', v_data, v_op->>'contentType', v_op->>'metadata', (v_op->>'createdAt')::bigint);
        v_touched := v_touched || ('outbox/' || (v_op->>'appId'));
        v_result := '{}';
      WHEN 'dead-letter.add' THEN
        INSERT INTO dead_letters (id, app_id, at, letter, data) VALUES (v_op->>'id', v_op->>'appId', (v_op->>'letterAt')::bigint, v_op->>'letter', v_data)
          ON CONFLICT (id) DO UPDATE SET app_id = excluded.app_id, at = excluded.at, letter = excluded.letter, data = excluded.data;
        v_result := '{}';
      WHEN 'dead-letter.remove' THEN
        DELETE FROM dead_letters WHERE id = v_op->>'id';
        v_result := '{}';
      END CASE;
    END IF;
    v_results := array_append(v_results, v_result);
  END LOOP;
  answer := jsonb_build_object('results', to_jsonb(v_results), 'touched', to_jsonb(v_touched));
END $$;

CREATE OR REPLACE FUNCTION lock_rows(p_locks jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE v_row record;
BEGIN
  FOR v_row IN SELECT e->>0 AS tbl, e->>1 AS key FROM jsonb_array_elements(p_locks->'states') e LOOP
    PERFORM 1 FROM state WHERE tbl = v_row.tbl AND key = v_row.key FOR NO KEY UPDATE;
  END LOOP;
  IF p_locks ? 'topics' THEN PERFORM 1 FROM topics WHERE name = ANY(ARRAY(SELECT jsonb_array_elements_text(p_locks->'topics'))) ORDER BY id FOR NO KEY UPDATE; END IF;
  IF p_locks ? 'groups' THEN
    PERFORM 1 FROM groups WHERE id = ANY(ARRAY(SELECT g.id FROM jsonb_array_elements(p_locks->'groups') e JOIN topics t ON t.name = e->>0 JOIN groups g ON g.topic = t.id AND g.name = e->>1)) ORDER BY id FOR NO KEY UPDATE;
  END IF;
  IF p_locks ? 'instances' THEN
    PERFORM 1 FROM wf_instances WHERE id = ANY(ARRAY(
      SELECT jsonb_array_elements_text(p_locks#>'{instances,rows}')::bigint
      UNION ALL SELECT instance FROM wf_activities WHERE id = ANY(ARRAY(SELECT jsonb_array_elements_text(p_locks#>'{instances,activities}')::bigint))
      UNION ALL SELECT i.id FROM jsonb_array_elements(p_locks#>'{instances,names}') e JOIN wf_instances i ON i.app = e->>0 AND i.instance_id = e->>1
      UNION ALL SELECT p.id FROM jsonb_array_elements_text(p_locks#>'{instances,children}') e JOIN wf_instances c ON c.id = e::bigint JOIN wf_instances p ON p.app = c.parent_app AND p.instance_id = c.parent_id
    )) ORDER BY id FOR NO KEY UPDATE;
  END IF;
END $$;

-- Refused is one batch and not the whole group: a condition that did not hold, a value that cannot be kept.
CREATE OR REPLACE FUNCTION is_refusal(p_state text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN RETURN p_state IN ('${CONFLICT}', '${TOPIC_FULL}') OR left(p_state, 2) IN ('22', '23', '54'); END $$;

-- Applies the batches of a group: those that are refused are left out, those that are not stand or fall together. A batch is a list of operations, or one
-- that is plain (\`schema-many.ts\`).
CREATE OR REPLACE FUNCTION run_group(p_session bigint, p_group bigint, p_batches jsonb, p_data bytea, p_locks jsonb, p_claims boolean, p_durable boolean, p_now bigint) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  v_now bigint; v_batch jsonb; v_place integer; v_run jsonb := '{"topics": {}, "groups": {}}'; v_next jsonb; v_answer jsonb; v_answers jsonb[] := array_fill(NULL::jsonb, ARRAY[jsonb_array_length(p_batches)]);
  v_detail text; v_alone integer := 0; v_again boolean := false; v_results json;
BEGIN
  IF NOT p_durable THEN PERFORM set_config('synchronous_commit', 'off', true); END IF;
  IF p_claims THEN PERFORM hold_session(p_session); END IF;
  IF p_locks IS NOT NULL THEN PERFORM lock_rows(p_locks); END IF;
  v_now := now_ms(p_now);
  BEGIN
    FOR v_batch, v_place IN SELECT * FROM jsonb_array_elements(p_batches) WITH ORDINALITY e(b, n) WHERE jsonb_typeof(b) = 'array' LOOP
      SELECT b.p_run, b.answer INTO v_run, v_answer FROM apply_batch(p_session, v_batch, p_data, v_now, v_run) b;
      v_answers[v_place] := v_answer;
      v_alone := v_alone + 1;
    END LOOP;
    IF v_alone < cardinality(v_answers) THEN
      v_answers := wf_complete_many(p_batches, v_answers);
      v_answers := wf_step_many(p_session, p_batches, v_now, v_answers);
    END IF;
  EXCEPTION WHEN OTHERS THEN
    IF NOT is_refusal(SQLSTATE) THEN RAISE; END IF;
    v_again := true;
  END;
  IF v_again THEN
    v_run := '{"topics": {}, "groups": {}}';
    FOR v_batch, v_place IN SELECT CASE jsonb_typeof(b) WHEN 'array' THEN b ELSE jsonb_build_array(b) END, n FROM jsonb_array_elements(p_batches) WITH ORDINALITY e(b, n) LOOP
      BEGIN
        SELECT b.p_run, b.answer INTO v_next, v_answer FROM apply_batch(p_session, v_batch, p_data, v_now, v_run) b;
        v_run := v_next;
      EXCEPTION WHEN OTHERS THEN
        IF NOT is_refusal(SQLSTATE) THEN RAISE; END IF;
        GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
        v_answer := jsonb_build_object('refused', SQLSTATE, 'message', SQLERRM, 'detail', v_detail);
      END;
      v_answers[v_place] := v_answer;
    END LOOP;
  END IF;
  UPDATE topics t SET bytes = t.bytes + (c.value->>0)::bigint, appended = t.appended + (c.value->>1)::bigint, retention_ms = (c.value->>2)::bigint FROM jsonb_each(v_run->'topics') c WHERE t.id = c.key::integer;
  UPDATE groups g SET waiting = g.waiting + (c.value->>0)::bigint, in_flight = g.in_flight - (c.value->>0)::bigint - (c.value->>1)::bigint FROM jsonb_each(v_run->'groups') c WHERE g.id = c.key::integer;
  v_results := array_to_json(v_answers);
  INSERT INTO writers VALUES (p_session, p_group, v_results, v_now) ON CONFLICT (session) DO UPDATE SET group_no = excluded.group_no, results = excluded.results, written_at = excluded.written_at;
  RETURN v_results;
END $$;
`;
