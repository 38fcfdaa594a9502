/**
 * Leases on messages, outbox records, instances, activities and ticks of jobs; timers that fire; what a process does for its session and
 * for the dead. Counterpart of `workflow-claims.ts`, `job-program.ts` and the claims in `ledger-program.ts`.
 *
 * Whoever claims takes rows that nobody has locked (`FOR UPDATE SKIP LOCKED`): one that is being changed is taken the next time, and
 * from time to time waited for. Each claim carries a number; `undo_claim` gives back what was got by it.
 */
import { POLLED_NAME } from '@mecha/components/kit/ledger-workflow.ts';

/** Rows that one claim frees or removes at most. */
const FREE_ROWS = 500;
/** Names that one claim looks at. */
const NAMES_MAX = 1000;
/** A turn is given no more at once; the rest is for the next. */
const TURN_MESSAGES_MAX = 1000;
/** A claim marks its group as seen no more often than this. */
const GROUP_SEEN_STEP_MS = 3600_000;

const FREE_INSTANCE = "owner = NULL, session = NULL, claim = NULL, free_at = NULL, ready = CASE WHEN status = 'suspended' THEN NULL ELSE wf_unread(id) END";
/** The deadline of an attempt that nobody runs any more goes with it; that of the activity stays. */
const FREE_ACTIVITY = 'owner = NULL, session = NULL, claim = NULL, free_at = NULL, ready = id, run_until = NULL, expires_at = end_by';
const FREE_JOB = 'owner = NULL, session = NULL, claim = NULL, free_at = due_at';
/** Frees rows of `table` that `where` chooses, and adds the channels of their apps to v_touched. */
const free = (table: string, set: string, where: string, channel: string): string => `
  WITH freed AS (UPDATE ${table} SET ${set} WHERE id = ANY(ARRAY(SELECT id FROM ${table} WHERE ${where} FOR NO KEY UPDATE SKIP LOCKED)) RETURNING app)
  SELECT v_touched || coalesce(array_agg(DISTINCT '${channel}/' || app), '{}') INTO v_touched FROM freed;`;
const freeEach = (where: string): string => free('wf_instances', FREE_INSTANCE, where, 'workflow') + free('wf_activities', FREE_ACTIVITY, where, 'workflow') + free('jobs', FREE_JOB, where, 'jobs');

/** Every so many claims, and whenever there was nothing else, a claim waits for the oldest row: one that is written to without a pause would never be taken. */
const PATIENT_CLAIM_EVERY = 8;
/** Locks ready rows of `table` and returns their ids: an equal share for each name first, then what room is left. */
const takeReady = (table: string): string => `
CREATE OR REPLACE FUNCTION take_${table}(p_app text, p_limit integer, p_names text[], p_limits jsonb, p_turn bigint, OUT ids bigint[], OUT more boolean) LANGUAGE plpgsql AS $$
DECLARE v_names text[] := '{}'; v_name text := ''; v_seen integer := 0; v_taken integer[]; v_share integer; v_room integer; v_n integer; v_rows bigint[]; v_first integer;
BEGIN
  ids := '{}'; more := false;
  LOOP
    -- Names are never empty.
    SELECT name INTO v_name FROM ${table} WHERE app = p_app AND ready IS NOT NULL AND name > v_name ORDER BY name LIMIT 1;
    EXIT WHEN NOT FOUND OR v_seen >= ${NAMES_MAX};
    v_seen := v_seen + 1;
    IF (CASE WHEN p_names IS NULL THEN NOT starts_with(v_name, '${POLLED_NAME}') ELSE v_name = ANY(p_names) END) THEN v_names := v_names || v_name; END IF;
  END LOOP;
  IF p_limit <= 0 OR cardinality(v_names) = 0 THEN RETURN; END IF;
  v_first := p_turn % cardinality(v_names);
  v_names := v_names[v_first + 1:] || v_names[:v_first];
  v_taken := array_fill(0, ARRAY[cardinality(v_names)]);
  IF p_turn % ${PATIENT_CLAIM_EVERY} = 0 AND coalesce((p_limits->>v_names[1])::integer, p_limit) > 0 THEN
    ids := ARRAY(SELECT id FROM ${table} WHERE app = p_app AND name = v_names[1] AND ready IS NOT NULL ORDER BY ready LIMIT 1 FOR NO KEY UPDATE);
    v_taken[1] := cardinality(ids);
  END IF;
  FOREACH v_share IN ARRAY CASE WHEN cardinality(v_names) = 1 THEN ARRAY[p_limit] ELSE ARRAY[greatest(1, p_limit / cardinality(v_names)), p_limit] END LOOP
    FOR v_n IN 1..cardinality(v_names) LOOP
      IF cardinality(ids) >= p_limit THEN more := true; RETURN; END IF;
      v_room := least(v_share, coalesce((p_limits->>v_names[v_n])::integer, p_limit)) - v_taken[v_n];
      CONTINUE WHEN v_room <= 0;
      v_rows := ARRAY(SELECT id FROM ${table} WHERE app = p_app AND name = v_names[v_n] AND ready IS NOT NULL AND NOT id = ANY(ids) ORDER BY ready LIMIT least(v_room, p_limit - cardinality(ids)) FOR NO KEY UPDATE SKIP LOCKED);
      v_taken[v_n] := v_taken[v_n] + cardinality(v_rows);
      ids := ids || v_rows;
    END LOOP;
    more := cardinality(ids) >= p_limit;
  END LOOP;
  FOREACH v_name IN ARRAY v_names LOOP
    EXIT WHEN cardinality(ids) > 0;
    CONTINUE WHEN coalesce((p_limits->>v_name)::integer, p_limit) <= 0;
    ids := ARRAY(SELECT id FROM ${table} WHERE app = p_app AND name = v_name AND ready IS NOT NULL ORDER BY ready LIMIT 1 FOR NO KEY UPDATE);
  END LOOP;
END $$;`;

/** To be followed by WHERE. */
export const SELECT_ACTIVITY =
  'SELECT a.id, a.instance, i.app AS instance_app, i.instance_id, i.execution, a.task_id, a.app, a.name, a.attempt, a.ready, a.free_at, a.owner, a.expires_at, a.run_until, a.end_by, a.error, a.request FROM wf_activities a JOIN wf_instances i ON i.id = a.instance';
const MESSAGE = "jsonb_build_object('sequence', m.sequence, 'id', m.id, 'contentType', m.content_type, 'metadata', m.metadata, 'publishedAt', m.published_at, 'attempt', d.attempt)";

export const CLAIM_FUNCTIONS = `
${takeReady('wf_instances')}
${takeReady('wf_activities')}

-- One row per message, in order; then one with { nextDueAt, more } and no data.
CREATE OR REPLACE FUNCTION claim_messages(p_session bigint, p_claim bigint, p_topic text, p_group text, p_limit integer, p_now bigint) RETURNS TABLE (about jsonb, bytes bytea) LANGUAGE plpgsql AS $$
DECLARE v_now bigint := now_ms(p_now); v_group record; v_due bigint[]; v_fresh bigint[];
BEGIN
  PERFORM hold_session(p_session);
  SELECT g.id, g.topic, g.cursor, g.seen_at INTO v_group FROM groups g JOIN topics t ON t.id = g.topic WHERE t.name = p_topic AND g.name = p_group FOR NO KEY UPDATE OF g;
  IF NOT FOUND OR v_group.seen_at <= v_now - ${GROUP_SEEN_STEP_MS} THEN
    PERFORM open_group(p_topic, p_group, v_now);
    SELECT g.id, g.topic, g.cursor INTO v_group FROM groups g JOIN topics t ON t.id = g.topic WHERE t.name = p_topic AND g.name = p_group FOR NO KEY UPDATE OF g;
  END IF;
  v_due := ARRAY(SELECT sequence FROM deliveries WHERE grp = v_group.id AND due_at <= v_now ORDER BY due_at, sequence LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED);
  UPDATE deliveries SET session = p_session, claim = p_claim, due_at = NULL WHERE grp = v_group.id AND sequence = ANY(v_due);
  v_fresh := ARRAY(SELECT sequence FROM messages WHERE topic = v_group.topic AND sequence > v_group.cursor ORDER BY sequence LIMIT p_limit - cardinality(v_due));
  INSERT INTO deliveries (grp, sequence, attempt, session, claim) SELECT v_group.id, s, 1, p_session, p_claim FROM unnest(v_fresh) s;
  IF cardinality(v_due) + cardinality(v_fresh) > 0 THEN
    UPDATE groups SET cursor = coalesce(v_fresh[cardinality(v_fresh)], cursor), taken = taken + cardinality(v_fresh), waiting = waiting - cardinality(v_due), in_flight = in_flight + cardinality(v_due) + cardinality(v_fresh) WHERE id = v_group.id;
  END IF;
  RETURN QUERY SELECT ${MESSAGE}, m.data FROM unnest(v_due || v_fresh) WITH ORDINALITY s(sequence, n)
    JOIN messages m ON m.topic = v_group.topic AND m.sequence = s.sequence JOIN deliveries d ON d.grp = v_group.id AND d.sequence = s.sequence ORDER BY s.n;
  RETURN QUERY SELECT jsonb_build_object('nextDueAt', (SELECT min(due_at) FROM deliveries WHERE grp = v_group.id AND due_at IS NOT NULL), 'more', cardinality(v_due) + cardinality(v_fresh) >= p_limit), NULL::bytea;
END $$;

CREATE OR REPLACE FUNCTION claim_outbox(p_app text, p_limit integer, p_lease bigint, p_now bigint) RETURNS TABLE (about jsonb, bytes bytea) LANGUAGE plpgsql AS $$
DECLARE v_now bigint := now_ms(p_now); v_rows bigint[];
BEGIN
  v_rows := ARRAY(SELECT o.position FROM outbox o WHERE o.app_id = p_app AND o.free_at <= v_now ORDER BY o.position LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED);
  UPDATE outbox SET free_at = v_now + p_lease, attempt = attempt + 1 WHERE position = ANY(v_rows);
  RETURN QUERY SELECT jsonb_build_object('id', o.id, 'appId', o.app_id, 'pubsub', o.pubsub, 'topic', o.topic, 'contentType', o.content_type, 'metadata', o.metadata, 'createdAt', o.created_at, 'attempt', o.attempt - 1), o.data
    FROM outbox o WHERE o.position = ANY(v_rows) ORDER BY o.position;
END $$;

CREATE OR REPLACE FUNCTION claim_instances(p_session bigint, p_claim bigint, p_app text, p_owner text, p_limit integer, p_lease bigint, p_names text[], p_limits jsonb, p_now bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE v_now bigint := now_ms(p_now); v_take record; v_rows jsonb; v_touched text[] := '{}';
BEGIN
  PERFORM hold_session(p_session);
  ${free('wf_instances', FREE_INSTANCE, `app = p_app AND free_at <= v_now AND (owner IS NULL OR owner <> p_owner) LIMIT ${FREE_ROWS}`, 'workflow')}
  v_take := take_wf_instances(p_app, p_limit, p_names, p_limits, p_claim);
  UPDATE wf_instances SET fence = fence + 1, ready = NULL, free_at = v_now + p_lease, owner = p_owner, session = p_session, claim = p_claim WHERE id = ANY(v_take.ids);
  SELECT jsonb_agg(to_jsonb(i) || jsonb_build_object('messages', (
      SELECT jsonb_agg(jsonb_build_object('sequence', u.sequence, 'event', u.event, 'kind', CASE WHEN u.is_result THEN 'result' ELSE 'event' END) ORDER BY u.later, u.sequence)
      FROM (SELECT * FROM wf_inbox WHERE instance = i.id ORDER BY later, sequence LIMIT ${TURN_MESSAGES_MAX}) u)) ORDER BY t.n) INTO v_rows
    FROM unnest(v_take.ids) WITH ORDINALITY t(id, n) JOIN wf_instances i ON i.id = t.id;
  RETURN jsonb_build_object('rows', coalesce(v_rows, '[]'), 'more', v_take.more);
END $$;

CREATE OR REPLACE FUNCTION claim_activities(p_session bigint, p_claim bigint, p_app text, p_owner text, p_limit integer, p_lease bigint, p_names text[], p_limits jsonb, p_now bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE v_now bigint := now_ms(p_now); v_take record; v_rows jsonb; v_touched text[] := '{}';
BEGIN
  PERFORM hold_session(p_session);
  ${free('wf_activities', FREE_ACTIVITY, `app = p_app AND free_at <= v_now AND (owner IS NULL OR owner <> p_owner) LIMIT ${FREE_ROWS}`, 'workflow')}
  v_take := take_wf_activities(p_app, p_limit, p_names, p_limits, p_claim);
  UPDATE wf_activities SET ready = NULL, free_at = v_now + p_lease, owner = p_owner, session = p_session, claim = p_claim, run_until = v_now + run_ms, expires_at = least(end_by, v_now + run_ms, v_now + beat_ms) WHERE id = ANY(v_take.ids);
  SELECT jsonb_agg(to_jsonb(a) ORDER BY t.n) INTO v_rows FROM unnest(v_take.ids) WITH ORDINALITY t(id, n) CROSS JOIN LATERAL (${SELECT_ACTIVITY} WHERE a.id = t.id) a;
  RETURN jsonb_build_object('rows', coalesce(v_rows, '[]'), 'more', v_take.more);
END $$;

-- What this owner holds and did not name is forgotten by it: freed. A row that is being changed at this moment is taken as renewed.
CREATE OR REPLACE FUNCTION renew_workflows(p_session bigint, p_owner text, p_lease bigint, p_instances jsonb, p_activities jsonb, p_now bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE v_now bigint := now_ms(p_now); v_touched text[] := '{}'; v_lost_instances bigint[]; v_lost_activities bigint[];
BEGIN
  UPDATE wf_instances SET free_at = v_now + p_lease WHERE id = ANY(ARRAY(SELECT i.id FROM jsonb_array_elements(p_instances) e JOIN wf_instances i ON i.id = (e->>'row')::bigint WHERE i.fence = (e->>'fence')::bigint AND i.owner = p_owner FOR NO KEY UPDATE OF i SKIP LOCKED));
  UPDATE wf_activities SET free_at = v_now + p_lease WHERE id = ANY(ARRAY(SELECT a.id FROM jsonb_array_elements(p_activities) e JOIN wf_activities a ON a.id = (e->>'activity')::bigint WHERE a.attempt = (e->>'attempt')::integer AND a.owner = p_owner FOR NO KEY UPDATE OF a SKIP LOCKED));
  v_lost_instances := ARRAY(SELECT (e->>'row')::bigint FROM jsonb_array_elements(p_instances) e WHERE NOT EXISTS (SELECT 1 FROM wf_instances i WHERE i.id = (e->>'row')::bigint AND i.fence = (e->>'fence')::bigint AND i.owner = p_owner));
  v_lost_activities := ARRAY(SELECT (e->>'activity')::bigint FROM jsonb_array_elements(p_activities) e WHERE NOT EXISTS (SELECT 1 FROM wf_activities a WHERE a.id = (e->>'activity')::bigint AND a.attempt = (e->>'attempt')::integer AND a.owner = p_owner));
  ${free('wf_instances', FREE_INSTANCE, 'session = p_session AND owner = p_owner AND free_at <= v_now', 'workflow')}
  ${free('wf_activities', FREE_ACTIVITY, 'session = p_session AND owner = p_owner AND free_at <= v_now', 'workflow')}
  RETURN jsonb_build_object('lostInstances', to_jsonb(v_lost_instances), 'lostActivities', to_jsonb(v_lost_activities), 'touched', to_jsonb(v_touched));
END $$;

CREATE OR REPLACE FUNCTION fire_timers(p_app text, p_limit integer, p_now bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE v_now bigint := now_ms(p_now); v_next bigint; v_fired integer := 0; v_touched text[] := '{}'; v_timer record;
BEGIN
  SELECT min(due_at) INTO v_next FROM wf_timers WHERE app = p_app AND due_at IS NOT NULL;
  IF v_next <= v_now THEN
    -- The instance is locked before the timer, as by everybody; one that is being changed fires the next time.
    FOR v_timer IN SELECT t.id, t.instance, t.is_result, t.event FROM wf_timers t JOIN wf_instances i ON i.id = t.instance WHERE t.app = p_app AND t.due_at <= v_now ORDER BY t.due_at, t.id LIMIT p_limit FOR NO KEY UPDATE OF i SKIP LOCKED LOOP
      DELETE FROM wf_timers WHERE id = v_timer.id;
      CONTINUE WHEN NOT FOUND;
      v_touched := v_touched || wf_deliver(v_timer.instance, jsonb_build_object('kind', CASE WHEN v_timer.is_result THEN 'result' ELSE 'event' END, 'event', v_timer.event));
      v_fired := v_fired + 1;
    END LOOP;
    IF v_fired = 0 THEN
      -- All that are due belong to instances that are being changed: the first is waited for.
      SELECT t.id, t.instance, t.is_result, t.event INTO v_timer FROM wf_timers t JOIN wf_instances i ON i.id = t.instance WHERE t.app = p_app AND t.due_at <= v_now ORDER BY t.due_at, t.id LIMIT 1 FOR NO KEY UPDATE OF i;
      IF FOUND THEN
        DELETE FROM wf_timers WHERE id = v_timer.id;
        IF FOUND THEN
          v_touched := wf_deliver(v_timer.instance, jsonb_build_object('kind', CASE WHEN v_timer.is_result THEN 'result' ELSE 'event' END, 'event', v_timer.event));
          v_fired := 1;
        END IF;
      END IF;
    END IF;
    SELECT min(due_at) INTO v_next FROM wf_timers WHERE app = p_app AND due_at IS NOT NULL;
  END IF;
  RETURN jsonb_build_object('fired', v_fired, 'nextDueAt', v_next, 'touched', to_jsonb(v_touched));
END $$;

CREATE OR REPLACE FUNCTION sweep_jobs(p_now bigint, p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE v_count integer;
BEGIN
  DELETE FROM jobs WHERE id = ANY(ARRAY(SELECT id FROM jobs WHERE expires_at <= p_now ORDER BY expires_at LIMIT p_limit FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END $$;

CREATE OR REPLACE FUNCTION claim_jobs(p_session bigint, p_claim bigint, p_app text, p_owner text, p_limit integer, p_lease bigint, p_now bigint) RETURNS TABLE (about jsonb, bytes bytea) LANGUAGE plpgsql AS $$
DECLARE v_now bigint := now_ms(p_now); v_ids bigint[];
BEGIN
  PERFORM hold_session(p_session);
  PERFORM sweep_jobs(v_now, ${FREE_ROWS});
  v_ids := ARRAY(SELECT j.id FROM jobs j WHERE j.app = p_app AND j.free_at <= v_now AND (j.owner IS NULL OR j.owner <> p_owner) AND (j.expires_at IS NULL OR j.expires_at > v_now) ORDER BY j.free_at, j.id LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED);
  UPDATE jobs SET fence = fence + 1, claimed_at = coalesce(claimed_at, v_now), free_at = v_now + p_lease, owner = p_owner, session = p_session, claim = p_claim WHERE id = ANY(v_ids);
  RETURN QUERY SELECT to_jsonb(j) - 'data', j.data FROM unnest(v_ids) WITH ORDINALITY t(id, n) JOIN jobs j ON j.id = t.id ORDER BY t.n;
END $$;

CREATE OR REPLACE FUNCTION renew_jobs(p_session bigint, p_owner text, p_lease bigint, p_jobs jsonb, p_now bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE v_now bigint := now_ms(p_now); v_touched text[] := '{}'; v_lost bigint[];
BEGIN
  UPDATE jobs SET free_at = v_now + p_lease WHERE id = ANY(ARRAY(SELECT j.id FROM jsonb_array_elements(p_jobs) e JOIN jobs j ON j.id = (e->>'row')::bigint WHERE j.fence = (e->>'fence')::bigint AND j.owner = p_owner FOR NO KEY UPDATE OF j SKIP LOCKED));
  v_lost := ARRAY(SELECT (e->>'row')::bigint FROM jsonb_array_elements(p_jobs) e WHERE NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = (e->>'row')::bigint AND j.fence = (e->>'fence')::bigint AND j.owner = p_owner));
  ${free('jobs', FREE_JOB, 'session = p_session AND owner = p_owner AND free_at <= v_now', 'jobs')}
  RETURN jsonb_build_object('lost', to_jsonb(v_lost), 'touched', to_jsonb(v_touched));
END $$;

-- Gives back messages that a session holds, all or those of one claim; returns the channels that this wakes.
CREATE OR REPLACE FUNCTION free_messages(p_session bigint, p_claim bigint) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE v_touched text[]; v_ids integer[];
BEGIN
  v_ids := ARRAY(SELECT DISTINCT grp FROM deliveries WHERE session = p_session AND (p_claim IS NULL OR claim = p_claim));
  PERFORM 1 FROM groups WHERE id = ANY(v_ids) ORDER BY id FOR NO KEY UPDATE;
  WITH freed AS (UPDATE deliveries SET session = NULL, claim = NULL, due_at = 0 WHERE session = p_session AND (p_claim IS NULL OR claim = p_claim) RETURNING grp),
    counted AS (SELECT grp, count(*) AS n FROM freed GROUP BY grp),
    told AS (UPDATE groups g SET waiting = waiting + c.n, in_flight = in_flight - c.n FROM counted c WHERE g.id = c.grp RETURNING g.topic)
  SELECT array_agg(DISTINCT 'topic/' || t.name) INTO v_touched FROM told JOIN topics t ON t.id = told.topic;
  RETURN coalesce(v_touched, '{}');
END $$;

-- A claim whose answer was lost: what it got is free again. Outbox records come again when their lease ends.
CREATE OR REPLACE FUNCTION undo_claim(p_session bigint, p_claim bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE v_touched text[] := '{}';
BEGIN
  PERFORM free_messages(p_session, p_claim);
  ${freeEach('session = p_session AND claim = p_claim').replaceAll(' SKIP LOCKED', '')}
END $$;

-- What a process that is gone held is free again (L3).
CREATE OR REPLACE FUNCTION end_session(p_session bigint) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE v_touched text[];
BEGIN
  DELETE FROM sessions WHERE id = p_session;
  v_touched := free_messages(p_session, NULL);
  ${freeEach('session = p_session').replaceAll(' SKIP LOCKED', '')}
  RETURN v_touched;
END $$;

-- Renews a session; one that others have removed, because it was silent for too long, is entered again.
CREATE OR REPLACE FUNCTION keep_session(p_session bigint, p_host text, p_pid integer, p_process text, p_lease bigint, p_now bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE sessions SET lease_until = now_ms(p_now) + p_lease WHERE id = p_session;
  IF NOT FOUND THEN INSERT INTO sessions OVERRIDING SYSTEM VALUE VALUES (p_session, p_host, p_pid, p_process, now_ms(p_now) + p_lease); END IF;
END $$;
`;

/** How long the outcome of a process's last group is kept when the process is silent. */
const WRITER_KEPT_MS = 24 * 3600_000;
const DEAD_LETTERS_MAX = 10_000;
const GROUP_UNSEEN_MS = 7 * 24 * 3600_000;
/** Most rows that one step of tending removes. */
const SWEEP_ROWS = 500;

/** One bounded step of removing what is over, by one process at a time; `more`: rows are left for the next. */
export const TEND_FUNCTIONS = `
CREATE OR REPLACE FUNCTION sweep(p_turn bigint, p_now bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE v_now bigint := now_ms(p_now); v_left integer := ${SWEEP_ROWS}; v_count integer; v_groups jsonb; v_letters jsonb; v_row record; v_look record; v_topics integer; v_ids integer[];
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('mecha sweep'), hashtext(current_schema())) THEN RETURN '{"droppedGroups": [], "droppedLetters": [], "more": false}'; END IF;
  v_ids := ARRAY(SELECT g.id FROM groups g WHERE g.seen_at < v_now - ${GROUP_UNSEEN_MS} ORDER BY g.id FOR UPDATE);
  SELECT coalesce(jsonb_agg(jsonb_build_object('topic', t.name, 'group', g.name)), '[]') INTO v_groups FROM groups g JOIN topics t ON t.id = g.topic WHERE g.id = ANY(v_ids);
  DELETE FROM deliveries WHERE grp = ANY(v_ids);
  DELETE FROM groups WHERE id = ANY(v_ids);
  v_letters := '[]';
  FOR v_row IN SELECT app_id, count(*) - ${DEAD_LETTERS_MAX} AS over FROM dead_letters GROUP BY app_id HAVING count(*) > ${DEAD_LETTERS_MAX} LOOP
    DELETE FROM dead_letters WHERE id = ANY(ARRAY(SELECT id FROM dead_letters WHERE app_id = v_row.app_id ORDER BY at, id LIMIT v_row.over));
    v_letters := v_letters || jsonb_build_object('appId', v_row.app_id, 'count', v_row.over);
  END LOOP;
  DELETE FROM state WHERE (tbl, key) IN (SELECT tbl, key FROM state WHERE expires_at <= v_now LIMIT v_left FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS v_count = ROW_COUNT;
  v_left := v_left - v_count;
  v_left := v_left - sweep_jobs(v_now, v_left);
  DELETE FROM writers WHERE written_at < v_now - ${WRITER_KEPT_MS} AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = writers.session);
  SELECT count(*) INTO v_topics FROM topics;
  FOR v_row IN SELECT id, retention_ms FROM (SELECT id, retention_ms, row_number() OVER (ORDER BY id) AS n FROM topics) t ORDER BY (t.n + v_topics - p_turn % greatest(v_topics, 1)) % greatest(v_topics, 1) LOOP
    EXIT WHEN v_left <= 0;
    PERFORM 1 FROM topics WHERE id = v_row.id FOR NO KEY UPDATE SKIP LOCKED;
    CONTINUE WHEN NOT FOUND;
    v_look := trim_topic(v_row.id, v_now - v_row.retention_ms, v_left);
    v_left := CASE WHEN v_look.gone > 0 AND v_look.more THEN 0 ELSE v_left - v_look.gone END;
  END LOOP;
  RETURN jsonb_build_object('droppedGroups', v_groups, 'droppedLetters', v_letters, 'more', v_left <= 0);
END $$;
`;
