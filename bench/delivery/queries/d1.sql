SELECT r.name AS region, top.name AS category,
  SUM(CASE WHEN f.dt = '2024-06-09' THEN f.orders ELSE 0 END) AS orders,
  SUM(CASE WHEN f.dt = '2024-06-09' THEN f.gmv ELSE 0 END) AS gmv,
  CAST(SUM(CASE WHEN f.dt = '2024-06-09' THEN f.gmv ELSE 0 END) AS DOUBLE) / CAST(SUM(CASE WHEN f.dt = '2024-06-08' THEN f.gmv ELSE 0 END) AS DOUBLE) - 1 AS day_over_day,
  CAST(SUM(CASE WHEN f.dt = '2024-06-09' THEN f.gmv ELSE 0 END) AS DOUBLE) / CAST(SUM(CASE WHEN f.dt = '2024-06-02' THEN f.gmv ELSE 0 END) AS DOUBLE) - 1 AS week_over_week
FROM merchant_day f
JOIN merchant m ON f.merchant_id = m.merchant_id
JOIN area a ON m.area_id = a.area_id
JOIN city c ON a.city_id = c.city_id
JOIN region r ON c.region_id = r.region_id
JOIN category g ON m.category_id = g.category_id
JOIN category top ON g.parent_id = top.category_id
WHERE f.dt IN ('2024-06-09', '2024-06-08', '2024-06-02')
GROUP BY r.name, top.name
ORDER BY region, category
