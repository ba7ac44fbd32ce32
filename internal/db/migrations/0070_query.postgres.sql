-- The first and the last address of an IP address or a CIDR block; null for any other text. Queries compare with these.
CREATE FUNCTION query_range(v text, OUT first inet, OUT last inet) LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    i inet;
    bits int;
BEGIN
    IF v IS NULL OR length(v) > 49 OR NOT (
        v ~ '^((0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])(\.|(?=/)|$)){4}(/([0-9]|[12][0-9]|3[0-2]))?$' AND v !~ '^[^/]*\.(/|$)'
        OR v ~ '^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(/([0-9]|[1-9][0-9]|1[01][0-9]|12[0-8]))?$') THEN
        RETURN;
    END IF;
    i := v::inet;
    bits := CASE family(i) WHEN 4 THEN 32 ELSE 128 END;
    first := set_masklen(network(i)::inet, bits);
    last := set_masklen(broadcast(i), bits);
EXCEPTION WHEN invalid_text_representation THEN
    RETURN;
END $$;
