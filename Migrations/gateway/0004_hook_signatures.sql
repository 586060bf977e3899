-- How the publisher of a generic source signs; where it is null, the secret itself comes as the bearer.
ALTER TABLE gateway.hooks
    ADD COLUMN signature text CHECK (octet_length(signature) <= 512),
    ADD CHECK (signature IS NULL OR kind = 'generic');
