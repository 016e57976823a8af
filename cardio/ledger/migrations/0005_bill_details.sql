-- Bills with the hospital's and a family member's part, and how the centre came to them (OPS §1.4).

ALTER TABLE settlements ADD COLUMN hospital_fen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE settlements ADD COLUMN mutual_aid_fen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE settlements ADD COLUMN bill_details TEXT;
