-- What a document is for: Automation, or ConformancePackTemplate.
ALTER TABLE automation_document ADD COLUMN kind TEXT NOT NULL DEFAULT 'Automation';
